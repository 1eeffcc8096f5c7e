"""Security headers, and compression, of all responses."""

from collections.abc import Mapping
from functools import partial

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface

from mnistweb.extensions import compress
from mnistweb.web.embedding import cookie_attributes, frame_ancestors, framing_headers

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Most pages show a visitor's own drawings; cacheable responses set their own value.
    "Cache-Control": "private, no-cache",
}

# Only documents need these; they would only enlarge the many responses for scripts, styles and images.
PAGE_HEADERS = {
    "Referrer-Policy": "same-origin",  # Flask-WTF checks the referrer of forms under TLS
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}
STRICT_TRANSPORT_SECURITY = "max-age=31536000"  # seconds: a year
SUBRESOURCE_TYPES = ("text/css", "text/javascript", "image/png")
# A web worker obeys the headers of its own script, and a browser does not start it without them.
WORKER_SCRIPT = "js/features/live-guess-worker.js"


class SessionInterface(SecureCookieSessionInterface):
    """Flask's signed session cookie, with the attributes that the request allows."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        """Return whether the cookie gets the attribute Secure."""
        return bool(cookie_attributes()["secure"])

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002
        """Return the value of the attribute SameSite."""
        return str(cookie_attributes()["samesite"])

    def get_cookie_partitioned(self, app: Flask) -> bool:  # noqa: ARG002
        """Return whether the cookie gets the attribute Partitioned."""
        return bool(cookie_attributes()["partitioned"])


def _page_headers(app: Flask) -> dict[str, str]:
    origins = app.config["EMBED_ORIGINS"]
    policy = f"{CONTENT_SECURITY_POLICY}; {frame_ancestors(origins)}"
    return {"Content-Security-Policy": policy} | framing_headers(origins) | PAGE_HEADERS


def _add_headers(response: Response, page_headers: Mapping[str, str]) -> Response:
    subresource = response.mimetype in SUBRESOURCE_TYPES and not request.path.endswith(WORKER_SCRIPT)
    headers = HEADERS if subresource else {**HEADERS, **page_headers}
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    if request.is_secure and headers is not HEADERS:
        response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY
    return response


def _buffer_static_file(response: Response) -> Response:
    # A streamed file cannot be compressed with gzip, and stays open until garbage collection.
    if request.endpoint == "static" and response.mimetype != "image/png":
        response.direct_passthrough = False
        response.get_data()
    return response


def init_app(app: Flask) -> None:
    """Compress responses, and add the headers to them."""
    compress.init_app(app)
    app.after_request(
        _buffer_static_file
    )  # runs before compression: Flask calls these hooks in reverse order
    app.session_interface = SessionInterface()
    app.after_request(partial(_add_headers, page_headers=_page_headers(app)))
