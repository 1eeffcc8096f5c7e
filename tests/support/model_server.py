"""A stand-in for a model server, over real HTTP: it answers as networks do, or as it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.remote.protocol import read_request, write_metadata, write_response
from mnistweb.recognition.remote.tensors import HEADER_LENGTH, Message
from mnistweb.recognition.zoo import WEIGHTS
from tests.support.endpoint import listening

CLOSE = 0
"""In place of a status: hang up without a word."""
Response = tuple[int, Message]


class StandIn:
    """What the server was asked, and what it does with the next requests.

    `failures` are statuses that the next requests get, `says` replaces fields of what is inferred; None
    leaves one out. While `gate` is not set it sends, as `hangs` says, nothing, or now and then a byte of its
    head or its body.
    """

    def __init__(self) -> None:
        self.network = TorchScriptRecognizer.load(WEIGHTS / "lenet5.json")
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
        """The response to a request."""
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
    """A stand-in that listens on a port of its own."""
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            stand_in.connections += 1
            with suppress(ConnectionError):  # as when a client closes what it kept
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
            except OSError:  # the client hung up, as it does when its time is over
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
