"""The parser of forms, which refuses those that would take long before it parses them."""

from typing import IO
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import BadRequest
from werkzeug.formparser import FormDataParser

URL_ENCODED = "application/x-www-form-urlencoded"
MAX_FIELDS = 1000
"""As many as Werkzeug allows in a multipart form."""
MAX_ESCAPES = 400_000
"""Percent signs in a form. The largest picture in base64 has fewer."""

Parsed = tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]


class FormParser(FormDataParser):
    """Werkzeug's parser, with limits for URL-encoded forms too."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Parsed:
        """Parse a form. Raises BadRequest for more fields or escapes than any form of this site has."""
        if mimetype != URL_ENCODED:
            return super().parse(stream, mimetype, content_length, options)
        body = stream.read()
        if body.count(b"&") >= MAX_FIELDS or body.count(b"%") > MAX_ESCAPES:
            raise BadRequest
        fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
        return stream, self.cls(fields), self.cls()


class SiteRequest(Request):
    """A request whose form is parsed within limits."""

    form_data_parser_class = FormParser
