"""Pages in frames of other sites: which origins may embed them, and cookies that work there."""

from collections.abc import Sequence
from typing import Any

from flask import current_app, request


def framing_headers(origins: Sequence[str]) -> dict[str, str]:
    """Return X-Frame-Options for pages that no site may embed, nothing for others.

    X-Frame-Options knows no list of origins: the directive `frame-ancestors` has them.
    """
    return {} if origins else {"X-Frame-Options": "DENY"}


def frame_ancestors(origins: Sequence[str]) -> str:
    """Return the directive of a content security policy that names the origins that may embed a page."""
    return " ".join(["frame-ancestors", *(origins or ["'none'"])])


def cookie_attributes() -> dict[str, Any]:
    """Return the attributes SameSite, Secure and Partitioned for a cookie of the current request.

    In a frame of another site, a browser sends only cookies that are SameSite=None, which needs TLS.
    Partitioned keeps them apart for each embedding site, as browsers without third-party cookies ask for.
    """
    embedded = bool(current_app.config["EMBED_ORIGINS"]) and request.is_secure
    return {
        "samesite": "None" if embedded else "Lax",
        "secure": request.is_secure,
        "partitioned": embedded,
    }
