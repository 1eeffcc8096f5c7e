"""Errors with a code for programs and one sentence for people."""


class UserError(Exception):
    """A request that cannot be fulfilled: a stable `code` for programs, and one sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class DrawingError(UserError):
    """A drawing that cannot be read: damaged, too large, of the wrong type, or empty."""


class EmptyDrawing(DrawingError):
    """A drawing without ink."""

    def __init__(self) -> None:
        super().__init__("empty_drawing", "There is no digit to be found: no ink, or a page full of it.")


class RecognitionError(UserError):
    """A recognizer gave no answer, for example because its server is unavailable."""
