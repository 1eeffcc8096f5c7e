"""Security headers, and compression, of all responses of the application."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from mnistweb.extensions import compress

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

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
RESOURCE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
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
TLS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}  # seconds: a year
# Most pages show a visitor's own drawings; cacheable responses set their own value.
CACHING_HEADERS = {"Cache-Control": "private, no-cache"}
IMAGE_TYPE = "image/png"


class SecurityHeaders:
    """WSGI middleware that adds the headers that a response does not set itself.

    A hook of Flask would take ten times as long, because it searches and copies all headers for each of them.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer the request."""

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            own = {name.lower(): value for name, value in headers}
            added = RESOURCE_HEADERS | CACHING_HEADERS
            if own.get("content-type") != IMAGE_TYPE:
                added |= document_headers(environ["wsgi.url_scheme"])
            missing = [(name, value) for name, value in added.items() if name.lower() not in own]
            return start_response(status, headers + missing, *error)

        return self._application(environ, start)


def document_headers(scheme: str) -> dict[str, str]:
    """Return the headers that only documents need, for a request by http or https."""
    return PAGE_HEADERS | TLS_HEADERS if scheme == "https" else PAGE_HEADERS


class SessionInterface(SecureCookieSessionInterface):
    """Flask's signed session cookie, with the attribute Secure only for requests over TLS."""

    def __init__(self, app: Flask) -> None:
        self._serializer = super().get_signing_serializer(app)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:  # noqa: ARG002
        """Return the application's serializer, which Flask would make anew for each request."""
        return self._serializer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the cookie, if there is one."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        """Return whether the cookie gets the attribute Secure."""
        return request.is_secure


def init_app(app: Flask) -> None:
    """Compress responses, and add the headers to them."""
    compress.init_app(app)
    app.session_interface = SessionInterface(app)
    app.wsgi_app = SecurityHeaders(app.wsgi_app)  # type: ignore[method-assign]
