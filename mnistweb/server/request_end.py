"""The end of a request in the bytes that arrive, so that no thread waits for the rest of it."""

import re
from enum import Enum, auto

MAX_HEAD = 64 * 1024
MAX_LINE = 8190
"""The longest line between two chunks of a body, and the most bytes of its trailers."""
FIELDS = re.compile(rb"\r\n(content-length|transfer-encoding|expect)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
LENGTH = re.compile(rb"[0-9]{1,12}[ \t]*")
CHUNK_SIZE = re.compile(rb"\s*([0-9a-fA-F]{1,8})\s*(;.*)?", re.DOTALL)


class Progress(Enum):
    """The state of a request that arrives."""

    HEAD = auto()
    BODY = auto()
    WHOLE = auto()
    REFUSED = auto()
    """No need to wait for its end: its length is unknown, contradictory or too large."""


class RequestEnd:
    """Follows one request. gunicorn's own parser checks it afterwards; this only finds its end.

    `length` is the length of its body, None for a body in chunks. `waits` is true of a client that sends its
    body only after 100 Continue.
    """

    def __init__(self, most: int) -> None:
        self.progress = Progress.HEAD
        self.length: int | None = 0
        self.waits = False
        self._most = most
        self._head = bytearray()
        self._left = 0  # bytes of the body, or of the chunk, that are still to come
        self._line = bytearray()
        self._in_trailers = False
        self._seen = 0

    def feed(self, data: bytes) -> int:
        """Follow the request through `data`, and return how many of these bytes belong to it."""
        used = self._feed_head(data) if self.progress is Progress.HEAD else 0
        if self.progress is Progress.BODY:
            rest = data[used:] if used else data
            used += self._feed_chunks(rest) if self.length is None else self._feed_body(rest)
        return used

    def _feed_head(self, data: bytes) -> int:
        before = len(self._head)
        self._head += data
        end = self._head.find(b"\r\n\r\n", max(0, before - 3))
        if end < 0:
            if len(self._head) > MAX_HEAD:
                self.progress = Progress.REFUSED
            return len(data)
        self._read_head(bytes(self._head[:end]))
        self._head.clear()
        return end + 4 - before

    def _read_head(self, head: bytes) -> None:
        fields = [(name.lower(), value) for name, value in FIELDS.findall(head)]
        lengths = [value for name, value in fields if name == b"content-length"]
        names = {name for name, _ in fields}
        self.waits = b"expect" in names
        if b"transfer-encoding" in names:
            self.length, self.progress = None, Progress.BODY
        elif not lengths:
            self.progress = Progress.WHOLE
        elif len(lengths) > 1 or not LENGTH.fullmatch(lengths[0]) or int(lengths[0]) > self._most:
            self.progress = Progress.REFUSED
        else:
            self.length = self._left = int(lengths[0])
            self.progress = Progress.BODY if self.length else Progress.WHOLE

    def _feed_body(self, data: bytes) -> int:
        used = min(len(data), self._left)
        self._left -= used
        if not self._left:
            self.progress = Progress.WHOLE
        return used

    def _feed_chunks(self, data: bytes) -> int:
        at = 0
        while at < len(data) and self.progress is Progress.BODY:
            if self._left:
                step = min(len(data) - at, self._left)
                at += step
                self._left -= step
                continue
            newline = data.find(b"\n", at)
            end = len(data) if newline < 0 else newline + 1
            self._line += data[at:end]
            at = end
            if len(self._line) > MAX_LINE:
                self.progress = Progress.REFUSED
            elif newline >= 0:
                self._read_line(bytes(self._line))
                self._line.clear()
        self._seen += at
        if self._seen > self._most and self.progress is Progress.BODY:
            self.progress = Progress.REFUSED
        return at

    def _read_line(self, line: bytes) -> None:
        if self._in_trailers:
            if not line.strip():
                self.progress = Progress.WHOLE
        elif found := CHUNK_SIZE.fullmatch(line):
            size = int(found[1], 16)
            self._in_trailers = not size
            self._left = size + 2 if size else 0  # with the end of its line
        else:
            self.progress = Progress.REFUSED
