"""Errors of the prediction log."""

from mnistweb.recognition.errors import UserError


class NotFound(UserError):
    """Missing prediction, or one of another visitor."""

    def __init__(self) -> None:
        super().__init__("not_found", "This drawing doesn’t exist, or its author deleted it.")
