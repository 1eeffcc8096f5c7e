"""Security headers, and compression, of all responses of the application."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface, SessionMixin

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
    )
)
RESOURCE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Only documents need these; they would only enlarge the many responses for scripts, styles and images.
PAGE_HEADERS = {
    "Referrer-Policy": "same-origin",  # form_tokens checks it under TLS
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}
TLS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}  # seconds: a year
# Most pages show a visitor's own drawings; cacheable responses set their own value.
CACHING_HEADERS = {"Cache-Control": "private, no-cache"}
IMAGE_TYPE = "image/png"
LEAST_COMPRESSED = 1000
"""Bytes of the smallest body that is compressed. A smaller one is sent in one packet anyhow."""


class SecurityHeaders:
    """WSGI middleware that adds the headers that a response does not set itself.

    A hook of Flask would take ten times as long, because it searches and copies all headers for each of them.
    """

    def __init__(self, application: "WSGIApplication", embedders: Sequence[str] = ()) -> None:
        self._application = application
        always = RESOURCE_HEADERS | CACHING_HEADERS
        self._image_headers = _by_lower_name(always)
        self._document_headers = {
            scheme: _by_lower_name(always | document_headers(scheme, embedders))
            for scheme in ("http", "https")
        }

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer the request."""

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            own = {name.lower(): value for name, value in headers}
            is_image = own.get("content-type") == IMAGE_TYPE
            added = self._image_headers if is_image else self._document_headers[environ["wsgi.url_scheme"]]
            missing = [header for name, header in added.items() if name not in own]
            return start_response(status, headers + missing, *error)

        return self._application(environ, start)


def _by_lower_name(headers: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {name.lower(): (name, value) for name, value in headers.items()}


def document_headers(scheme: str, embedders: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers that only documents need, for a request by http or https.

    `embedders` are the origins that may show the document in a frame. X-Frame-Options knows no list of them.
    """
    ancestors = " ".join(embedders) or "'none'"
    policy = {"Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; frame-ancestors {ancestors}"}
    framing = {} if embedders else {"X-Frame-Options": "DENY"}
    return policy | framing | PAGE_HEADERS | (TLS_HEADERS if scheme == "https" else {})


class NoSessions(SessionInterface):
    """Sessions that need no cookie, because nothing is kept in them: form tokens belong to the visitor."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:  # noqa: ARG002
        """Return a session that refuses to keep anything."""
        return NullSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Do nothing."""


def _compress(response: Response) -> Response:
    # Flask-Compress knows a least size too, but first it reads all that the client accepts.
    size = response.content_length
    return response if size is not None and size < LEAST_COMPRESSED else compress.after_request(response)


def init_app(app: Flask) -> None:
    """Compress responses, and add the headers to them."""
    app.config["COMPRESS_REGISTER"] = False
    compress.init_app(app)
    app.after_request(_compress)
    app.session_interface = NoSessions()
    app.wsgi_app = SecurityHeaders(app.wsgi_app, app.config["EMBED_ORIGINS"])  # type: ignore[method-assign]
