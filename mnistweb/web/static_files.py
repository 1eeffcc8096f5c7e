"""Static files at addresses that change with their content, served before the application and its hooks.

The files are read at the start, and each is compressed when it is first requested. Both stay in memory.
WhiteNoise serves compressed copies from a disk: they would need a build step, or a folder to write to.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import brotli
from flask import Flask
from werkzeug import Request, Response
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from mnistweb.web.security_headers import RESOURCE_HEADERS, document_headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ADDRESS = re.compile(r"/static/(?:(?P<digest>[0-9a-f]{12})/)?(?P<path>.+)")
FOREVER = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"
COMPRESSED_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
"""Media types, by suffix, of files that are worth compressing."""
DOCUMENTS = (".svg", "-worker.js")
"""Ends of the paths of files that need the headers of a page.

A web worker obeys the headers of its own script, and a browser does not start it without them.
"""


class StaticFile:
    """The content of one file, and the headers of its responses."""

    def __init__(self, path: str, content: bytes) -> None:
        self._content = content
        self._etag = hashlib.sha256(content).hexdigest()[:16]
        compressed_type = COMPRESSED_TYPES.get(PurePath(path).suffix)
        self._codings = ("br", "gzip", "identity") if compressed_type else ("identity",)
        self._type = compressed_type or mimetypes.guess_type(path)[0] or "application/octet-stream"
        self._is_document = path.endswith(DOCUMENTS)

    def response(self, request: Request, cache_control: str) -> Response:
        """Return the response to GET or HEAD: whole, a range, or 304.

        Raises RequestedRangeNotSatisfiable.
        """
        coding = request.accept_encodings.best_match(self._codings, "identity")
        body = compressed(self._content, coding)
        response = Response(body, mimetype=self._type, headers=RESOURCE_HEADERS)
        response.headers["Cache-Control"] = cache_control
        if self._is_document:
            response.headers.update(document_headers(request.scheme))
        if len(self._codings) > 1:
            response.headers["Vary"] = "Accept-Encoding"
        if coding != "identity":
            response.headers["Content-Encoding"] = coding
        response.set_etag(f"{self._etag}-{coding}")
        # Ranges are for players of media, which are not compressed.
        in_parts = coding == "identity"
        return response.make_conditional(request.environ, accept_ranges=in_parts, complete_length=len(body))


class StaticFiles:
    """WSGI middleware that answers for the files in a folder, and leaves all else to the application.

    A file has two addresses: /static/<digest>/<path> can be cached for good, /static/<path> is for links from
    elsewhere. An outdated digest, of a page that is still open after an update, is ignored.
    """

    def __init__(self, application: "WSGIApplication", folder: Path) -> None:
        self._application = application
        contents = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        self._files = {path: StaticFile(path, content) for path, content in contents.items()}
        self.digest = digest_of(contents)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer the request, or pass it on."""
        return self._responder(environ)(environ, start_response)

    def _responder(self, environ: "WSGIEnvironment") -> "WSGIApplication":
        address = ADDRESS.fullmatch(environ.get("PATH_INFO", ""))
        file = self._files.get(address["path"]) if address else None
        if address is None or file is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._application
        try:
            return file.response(
                Request(environ), FOREVER if address["digest"] == self.digest else REVALIDATED
            )
        except RequestedRangeNotSatisfiable as error:
            page = error.get_response(environ)
            page.headers.update(RESOURCE_HEADERS | document_headers(environ["wsgi.url_scheme"]))
            return page


def digest_of(contents: Mapping[str, bytes]) -> str:
    """Return 12 hexadecimal digits that change with every path and every content."""
    digest = hashlib.sha256()
    for path, content in sorted(contents.items()):
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


@cache
def compressed(content: bytes, coding: str) -> bytes:
    """Return the content in a coding of HTTP: br, gzip or identity."""
    if coding == "br":
        return bytes(brotli.compress(content, mode=brotli.MODE_TEXT))
    return gzip.compress(content, mtime=0) if coding == "gzip" else content


def init_app(app: Flask) -> None:
    """Serve the static folder, and let `url_for("static", ...)` return addresses with the digest."""
    files = StaticFiles(app.wsgi_app, Path(app.static_folder or ""))
    app.wsgi_app = files  # type: ignore[method-assign]

    @app.url_defaults
    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["filename"] = f"{files.digest}/{values['filename']}"
