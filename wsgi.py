"""What a WSGI server serves."""

from mnistweb import create_app

app = create_app()
