"""Errors of the prediction log."""

from mnistweb.recognition.errors import UserError


class NotFound(UserError):
    """No such prediction, or not one of this visitor's."""

    def __init__(self) -> None:
        super().__init__("not_found", "This drawing doesn’t exist, or its author deleted it.")
