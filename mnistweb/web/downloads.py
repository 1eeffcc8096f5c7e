"""Downloads that are streamed batch by batch, in constant memory."""

from collections.abc import Iterator, Sequence
from itertools import chain

from flask import Response, stream_with_context

from mnistweb.database.models import Prediction

Batches = Iterator[Sequence[Prediction]]


def begin(batches: Batches) -> Batches:
    """Read the first batch before the response starts, so that an error still gets its status code."""
    return chain([next(batches)], batches)


def download(chunks: Iterator[str] | Iterator[bytes], name: str, mimetype: str) -> Response:
    """Return a response that sends the chunks as a file."""
    response = Response(stream_with_context(chunks), content_type=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
