"""WSGI entry point."""

from mnistweb.app import create_app

app = create_app()
