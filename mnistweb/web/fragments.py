"""Content negotiation: JSON, a fragment of a page, or a whole page."""

from flask import Response, after_this_request

from mnistweb.current import current_request

HEADER = "X-Fragment"


def wants_json() -> bool:
    """Return whether the client accepts JSON rather than HTML; the API always answers in JSON."""
    request = current_request()
    if request.path.startswith("/api/"):
        return True
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def is_fragment() -> bool:
    """Return whether the page's script asks for only the changed parts of the page.

    A response that can be cached then tells caches that the page and its parts have the same address.
    """
    request = current_request()
    if request.method in ("GET", "HEAD"):
        after_this_request(_vary)
    return request.headers.get(HEADER) == "true"


def _vary(response: Response) -> Response:
    response.vary.add(HEADER)
    return response
