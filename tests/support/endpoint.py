"""Fake endpoint of OpenAI's chat completions, over real HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

KEY = "sk-secret-of-the-tests"
MODEL = "stand-in-vision"


@dataclass(frozen=True)
class Reply:
    """A response of the endpoint."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def says(content: object, **message: Any) -> Reply:
    """Return a completion with this message content."""
    choice = {
        "index": 0,
        "finish_reason": message.pop("finish_reason", "stop"),
        "message": {"role": "assistant", "content": content, "refusal": None, **message},
    }
    completion = {"id": "1", "object": "chat.completion", "created": 0, "model": MODEL, "choices": [choice]}
    return Reply(json.dumps(completion).encode())


def reads(digit: object, confidence: object = 0.9) -> Reply:
    """Return a valid answer."""
    return says(json.dumps({"digit": digit, "confidence": confidence}))


def fails(status: int, **headers: str) -> Reply:
    """Return an error that, like real ones, repeats the API key and an address."""
    error = {"error": {"message": f"Incorrect API key provided: {KEY} at http://inside", "code": "bad"}}
    return Reply(json.dumps(error).encode(), status, {"Content-Type": "application/json", **headers})


class Endpoint:
    """Requests that the endpoint received, and its next responses.

    `replies` are sent once each, in order; `reply` after them. While `gate` is not set, responses hang.
    """

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.reply: Reply | Callable[[dict[str, Any]], Reply] = reads("3")
        self.replies: list[Reply] = []
        self.trickles = False
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Semaphore(0)
        self.url = ""

    def next_reply(self, question: dict[str, Any]) -> Reply:
        """Return the response to a request."""
        if self.replies:
            return self.replies.pop(0)
        return self.reply if isinstance(self.reply, Reply) else self.reply(question)


def ask_locally(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have clients ask the endpoint directly, and read no certificates: that takes longer than a test."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")


@contextmanager
def serve() -> Iterator[Endpoint]:
    """Serve an endpoint on a free port."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            endpoint.asked.append(question)
            endpoint.keys.append(self.headers["Authorization"])
            endpoint.arrived.release()
            reply = endpoint.next_reply(question)
            try:
                self._answer(reply)
            except OSError:  # the client disconnected, for example after a timeout
                self.close_connection = True

        def _answer(self, reply: Reply) -> None:
            if not endpoint.trickles:
                endpoint.gate.wait()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            while not endpoint.gate.wait(0.1):
                self.wfile.write(b" ")
                self.wfile.flush()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    with listening(Handler, endpoint.gate) as address:
        endpoint.url = f"{address}/v1"
        yield endpoint


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], gate: threading.Event) -> Iterator[str]:
    """Serve a handler on a free port, and yield its address; open the gate at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
