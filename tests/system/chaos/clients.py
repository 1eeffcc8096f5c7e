"""Visitors who draw and correct whatever happens, and write down what they were promised."""

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.support.drawings import STROKES, data_url, digit_png

DRAWINGS = {digit: data_url(digit_png(digit)) for digit in STROKES}
PATIENCE = 12.0
"""Seconds that a client waits for an answer before it takes it for lost."""
SUSPICIOUS = ("Traceback (most recent call last)", "Werkzeug", "psycopg2", "<html")


class Lost(Exception):
    """No answer came: the connection was refused, broke, or nothing was heard for too long."""


@dataclass
class Answer:
    """Status, and the JSON object of the body."""

    status: int
    body: dict[str, Any]
    cookie: str = ""


@dataclass
class Deed:
    """A drawing that was sent, once or again and again with the same key, and what came of it."""

    key: str
    said: str = "nothing"  # or saved, not saved, refused
    id: str = ""
    label: int | None = None
    label_saved: bool = False
    retried: int = 0


class Client(threading.Thread):
    """One visitor. `deeds` is their record, `counts` what became of the requests since `Crowd.go`."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.choose = random.Random(number)
        self.insists = number % 2 == 0  # sends again what was not saved
        self.cookie = ""
        self.deeds: list[Deed] = []
        self.counts: Counter[str] = Counter()
        self.odd: list[str] = []
        self.slowest = 0.0  # seconds for an answer
        self.active = threading.Event()
        self.idle = threading.Event()

    def run(self) -> None:
        """Draw and correct, as long as `active` is set."""
        while True:
            if not self.active.is_set():
                self.idle.set()
                self.active.wait()
            self.idle.clear()
            self.draw()
            self.pause(0.05, 0.25)

    def draw(self) -> None:
        """Send a drawing, with the same key until it is known what became of it; then correct."""
        digit = self.choose.choice(list(STROKES))
        deed = Deed(str(uuid.uuid4()))
        self.deeds.append(deed)
        while True:
            self.send(deed, digit)
            final = deed.said == "saved" or (deed.said == "not saved" and not self.insists)
            if final or (deed.retried > 3 and not self.active.is_set()):
                break
            deed.retried += 1
            self.pause(0.3, 0.7)
        if deed.said == "saved" and self.choose.random() < 0.5:
            self.correct(deed, self.choose.choice([*STROKES, None]))

    def send(self, deed: Deed, digit: int) -> None:
        """Post the drawing once."""
        try:
            answer = self.request(
                "/api/v1/predictions", {"image": DRAWINGS[digit]}, {"Idempotency-Key": deed.key}
            )
        except Lost:
            return
        saved = answer.body.get("saved")
        if answer.status in (200, 201) and saved is True:
            deed.said, deed.id = "saved", answer.body["id"]
        elif answer.status == 200 and saved is False:
            deed.said = "not saved"
        elif answer.status in (429, 503):
            deed.said = "refused"
        else:
            self.odd.append(f"{answer.status}: {answer.body}")
        self.counts[deed.said] += 1

    def correct(self, deed: Deed, label: int | None) -> None:
        """Say what was drawn, until that is heard."""
        deed.label = label
        for _ in range(40):
            try:
                answer = self.request(f"/api/v1/predictions/{deed.id}/feedback", {"label": label}, {})
            except Lost:
                answer = Answer(503, {})
            if answer.status == 200:
                deed.label_saved = True
                self.counts["saved"] += 1
                if answer.body.get("label") != label:
                    self.odd.append(f"label {label} came back as {answer.body.get('label')}")
                return
            if answer.status != 503:
                self.odd.append(f"feedback: {answer.status} {answer.body}")
                return
            self.counts["refused"] += answer.body != {}
            self.pause(0.3, 0.7)

    def request(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
        """One request and its answer. Raises Lost."""
        self.counts["sent"] += 1
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = headers | {"Content-Type": "application/json", "Cookie": self.cookie}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read().decode()
            cookie = response.getheader("Set-Cookie")
        except (OSError, http.client.HTTPException):
            self.counts["no answer"] += 1
            raise Lost from None
        finally:
            connection.close()
        self.slowest = max(self.slowest, time.monotonic() - started)
        self.cookie = cookie.partition(";")[0] if cookie else self.cookie
        if any(word in text for word in SUSPICIOUS):
            self.odd.append(text[:300])
        try:
            return Answer(response.status, json.loads(text))
        except ValueError:
            self.odd.append(f"no JSON: {response.status} {text[:200]}")
            return Answer(response.status, {})

    def pause(self, least: float, most: float) -> None:
        """Wait a little."""
        threading.Event().wait(self.choose.uniform(least, most))


@dataclass
class Crowd:
    """All clients."""

    clients: list[Client] = field(default_factory=list)

    @classmethod
    def of(cls, number: int, port: int) -> "Crowd":
        """So many clients, who wait to be let go."""
        crowd = cls([Client(port, each) for each in range(number)])
        for client in crowd.clients:
            client.start()
        return crowd

    def go(self) -> None:
        """Let them draw, from counts of nothing."""
        for client in self.clients:
            client.counts.clear()
            client.slowest = 0.0
            client.active.set()

    def rest(self) -> None:
        """Let each end what it has begun."""
        for client in self.clients:
            client.active.clear()
        for client in self.clients:
            client.idle.wait(60)

    def counts(self) -> Counter[str]:
        """What became of all requests since `go`."""
        return sum((client.counts for client in self.clients), Counter())
