"""The three kinds of response a client can ask for: JSON, a fragment of a page, or a whole page."""

from flask import request


def wants_json() -> bool:
    """Tell whether the client asked for JSON: by the address, or by preferring it to HTML."""
    if request.path.startswith("/api/"):
        return True
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def is_fragment() -> bool:
    """Tell whether the page's own script asks, which swaps in the changed parts of the page only."""
    return request.headers.get("X-Fragment") == "true"
