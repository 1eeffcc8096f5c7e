"""Fake model server over real HTTP, with answers of a real model or failures."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import copy
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.remote.protocol import read_request, write_metadata, write_response
from mnistweb.recognition.remote.tensors import HEADER_LENGTH, Message
from mnistweb.recognition.zoo import WEIGHTS
from tests.support.endpoint import listening

CLOSE = 0
"""Pseudo-status: close the connection without a response."""
Response = tuple[int, Message]


@cache
def lenet5() -> TorchScriptRecognizer:
    """Load the shipped LeNet-5, once for all servers."""
    return TorchScriptRecognizer.load(WEIGHTS / "lenet5.json")


class StandIn:
    """Requests that the server received, and its next responses.

    `failures` are the statuses of the next responses. `says` replaces fields of the inference response; None
    removes a field. While `gate` is not set, `hangs` selects a silent connection, or a slow head or body.
    """

    def __init__(self) -> None:
        self.network = copy(lenet5())
        self.connections = 0
        self.asked: list[str] = []
        self.heads: list[dict[str, str]] = []
        self.ids: list[str | None] = []
        self.failures: list[int] = []
        self.says: dict[str, Any] = {}
        self.pages: dict[str, dict[str, Any]] = {}
        self.gate = threading.Event()
        self.gate.set()
        self.hangs: Literal["silent", "head", "body"] = "body"
        self.url = ""

    def answer(self, path: str, body: bytes, header_length: str | None) -> Response:
        """Return the response to a request."""
        self.asked.append(path)
        if self.failures:
            return self.failures.pop(0), Message(b'{"error":"not now"}', {})
        card = self.network.card
        if path.endswith("/infer"):
            question = read_request(body, header_length)
            self.ids.append(question.id)
            reply = json.loads(write_response(self.network.logits(question.images), card, question).body)
            reply = {name: value for name, value in (reply | self.says).items() if value is not None}
            return 200, Message(json.dumps(reply).encode(), {})
        if path in self.pages:
            return 200, Message(json.dumps(self.pages[path]).encode(), {})
        return 400, Message(json.dumps(write_metadata(card)).encode(), {})


@contextmanager
def serve() -> Iterator[StandIn]:
    """Serve a fake model server on a free port."""
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # which holds a body back for 40 ms

        def handle(self) -> None:
            stand_in.connections += 1
            with suppress(ConnectionError):  # for example from a client that closes a kept connection
                super().handle()

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            stand_in.heads.append(dict(self.headers))
            status, message = stand_in.answer(self.path, body, self.headers[HEADER_LENGTH])
            if status == CLOSE:
                self.close_connection = True
                return
            try:
                self._send(status, message.body)
            except OSError:  # the client disconnected, for example after a timeout
                self.close_connection = True

        def _send(self, status: int, body: bytes) -> None:
            if stand_in.hangs == "silent":
                stand_in.gate.wait()
            elif stand_in.hangs == "head":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Ever-More: ")
                while not stand_in.gate.wait(0.05):
                    self.wfile.write(b"x")
            self.send_response(status)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while not stand_in.gate.wait(0.05):
                self.wfile.write(b"1\r\n \r\n")
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

        def log_message(self, *_: object) -> None:
            pass

    with listening(Handler, stand_in.gate) as stand_in.url:
        yield stand_in
