"""A stand-in for an endpoint of OpenAI's chat completions, served over real HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-secret-of-the-tests"
MODEL = "stand-in-vision"


@dataclass(frozen=True)
class Reply:
    """One response of the endpoint."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def says(content: object, **message: Any) -> Reply:
    """A completion whose message has this content."""
    choice = {
        "index": 0,
        "finish_reason": message.pop("finish_reason", "stop"),
        "message": {"role": "assistant", "content": content, "refusal": None, **message},
    }
    completion = {"id": "1", "object": "chat.completion", "created": 0, "model": MODEL, "choices": [choice]}
    return Reply(json.dumps(completion).encode())


def reads(digit: object, confidence: object = 0.9) -> Reply:
    """A completion that answers as asked."""
    return says(json.dumps({"digit": digit, "confidence": confidence}))


def fails(status: int, **headers: str) -> Reply:
    """An error as endpoints give it, which may repeat the key and the address."""
    error = {"error": {"message": f"Incorrect API key provided: {KEY} at http://inside", "code": "bad"}}
    return Reply(json.dumps(error).encode(), status, {"Content-Type": "application/json", **headers})


class Endpoint:
    """What the endpoint was asked, and what it does with the next request.

    `reply` is given to every request, or the `replies` in their order. While `gate` is not set, it hangs.
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
        """The response to a question."""
        if self.replies:
            return self.replies.pop(0)
        return self.reply if isinstance(self.reply, Reply) else self.reply(question)


@contextmanager
def serve() -> Iterator[Endpoint]:
    """An endpoint that listens on a port of its own."""
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
            except OSError:  # the client hung up, as it does when its time is over
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
    """The address where a handler answers; whoever waits for the gate is let through at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
