"""What a WSGI server serves."""

from mnistweb.app import create_app

app = create_app()
