"""What every response carries, and how templates write numbers and times."""

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface

from mnistweb.extensions import compress
from mnistweb.formatting import percent, utc

POLICY = "; ".join(
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
    # Nearly every page is one visitor's own; what may be kept says so itself.
    "Cache-Control": "private, no-cache",
}

# These tell a browser how to show a page; scripts, style sheets and pixels are none, and are many.
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # Flask-WTF checks the referrer of forms under TLS
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}
TLS_ONLY = "max-age=31536000"
PARTS = ("text/css", "text/javascript", "image/png")
# A script in a thread of its own is bound by its own headers, as a page is, and not started without them.
WORKER = "js/guesser.js"


class SessionInterface(SecureCookieSessionInterface):
    """Flask's signed session cookie, Secure exactly when the request came over TLS."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        """Whether the browser may send the cookie over TLS only."""
        return request.is_secure


def _add_headers(response: Response) -> Response:
    part = response.mimetype in PARTS and not request.path.endswith(WORKER)
    headers = HEADERS if part else HEADERS | PAGE_HEADERS
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    if request.is_secure and headers is not HEADERS:
        response.headers["Strict-Transport-Security"] = TLS_ONLY
    return response


def _in_one_piece(response: Response) -> Response:
    # A file that is streamed can't be compressed with gzip, and would be closed only when it is collected.
    if request.endpoint == "static" and response.mimetype != "image/png":
        response.direct_passthrough = False
        response.get_data()
    return response


def init_app(app: Flask) -> None:
    """Compress every response, add the headers to it, and the filters to the templates."""
    compress.init_app(app)
    app.after_request(_in_one_piece)  # before it is compressed: the last to be registered is the first called
    app.session_interface = SessionInterface()
    app.after_request(_add_headers)
    app.jinja_env.filters.update(percent=percent, utc=utc)
