"""Security headers, and compression, of all responses."""

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface

from mnistweb.extensions import compress

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
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
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
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
    """Flask's signed session cookie, with the attribute Secure only for requests over TLS."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        """Return whether the cookie gets the attribute Secure."""
        return request.is_secure


def _add_headers(response: Response) -> Response:
    subresource = response.mimetype in SUBRESOURCE_TYPES and not request.path.endswith(WORKER_SCRIPT)
    headers = HEADERS if subresource else HEADERS | PAGE_HEADERS
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
    app.after_request(_add_headers)
