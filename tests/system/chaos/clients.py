"""Clients that draw and correct during failures, and record the promises they receive."""

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
ANSWER_TIMEOUT = 12.0
"""Seconds until a client gives up a request."""
LEAKED_TEXTS = ("Traceback (most recent call last)", "Werkzeug", "psycopg2", "<html")


class Lost(Exception):
    """No answer: the connection was refused, broke, or timed out."""


@dataclass
class Answer:
    """Status, and the JSON object of the body."""

    status: int
    body: dict[str, Any]
    cookie: str = ""


@dataclass
class Submission:
    """A drawing, sent once or several times with the same key, and its outcome."""

    key: str
    outcome: str = "nothing"  # or "saved", "not saved", "refused"
    id: str = ""
    label: int | None = None
    label_saved: bool = False
    retried: int = 0


class Client(threading.Thread):
    """One visitor.

    `submissions` are all drawings so far; `counts` and `latencies` are of requests since `Crowd.resume`.
    """

    def __init__(self, port: int, number: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.random_choice = random.Random(number)
        self.retries_unsaved = number % 2 == 0  # repeats drawings that were not saved
        self.cookie = ""
        self.submissions: list[Submission] = []
        self.counts: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self.latencies: list[float] = []  # seconds
        self.active = threading.Event()
        self.idle = threading.Event()

    def run(self) -> None:
        """Draw and correct while `active` is set."""
        while True:
            if not self.active.is_set():
                self.idle.set()
                self.active.wait()
            self.idle.clear()
            self.draw()
            self.pause(0.05, 0.25)

    def draw(self) -> None:
        """Send a drawing with the same key until its outcome is known; then correct it."""
        digit = self.random_choice.choice(list(STROKES))
        submission = Submission(str(uuid.uuid4()))
        self.submissions.append(submission)
        while True:
            self.send(submission, digit)
            final = submission.outcome == "saved" or (
                submission.outcome == "not saved" and not self.retries_unsaved
            )
            if final or (submission.retried > 3 and not self.active.is_set()):
                break
            submission.retried += 1
            self.pause(0.3, 0.7)
        if submission.outcome == "saved" and self.random_choice.random() < 0.5:
            self.correct(submission, self.random_choice.choice([*STROKES, None]))

    def send(self, submission: Submission, digit: int) -> None:
        """Post the drawing once."""
        try:
            answer = self.request(
                "/api/v1/predictions", {"image": DRAWINGS[digit]}, {"Idempotency-Key": submission.key}
            )
        except Lost:
            return
        saved = answer.body.get("saved")
        if answer.status in (200, 201) and saved is True:
            submission.outcome, submission.id = "saved", answer.body["id"]
        elif answer.status == 200 and saved is False:
            submission.outcome = "not saved"
        elif answer.status in (429, 503):
            submission.outcome = "refused"
        else:
            self.unexpected.append(f"{answer.status}: {answer.body}")
        self.counts[submission.outcome] += 1

    def correct(self, submission: Submission, label: int | None) -> None:
        """Send the label until it is acknowledged."""
        submission.label = label
        for _ in range(40):
            try:
                answer = self.request(f"/api/v1/predictions/{submission.id}/feedback", {"label": label}, {})
            except Lost:
                answer = Answer(503, {})
            if answer.status == 200:
                submission.label_saved = True
                self.counts["saved"] += 1
                if answer.body.get("label") != label:
                    self.unexpected.append(f"label {label} came back as {answer.body.get('label')}")
                return
            if answer.status != 503:
                self.unexpected.append(f"feedback: {answer.status} {answer.body}")
                return
            self.counts["refused"] += answer.body != {}
            self.pause(0.3, 0.7)

    def request(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Answer:
        """Send one request and return its answer. Raises Lost."""
        self.counts["sent"] += 1
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_TIMEOUT)
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
        self.latencies.append(time.monotonic() - started)
        self.cookie = cookie.partition(";")[0] if cookie else self.cookie
        if any(word in text for word in LEAKED_TEXTS):
            self.unexpected.append(text[:300])
        try:
            return Answer(response.status, json.loads(text))
        except ValueError:
            self.unexpected.append(f"no JSON: {response.status} {text[:200]}")
            return Answer(response.status, {})

    def pause(self, least: float, most: float) -> None:
        """Wait for a random time, in seconds."""
        threading.Event().wait(self.random_choice.uniform(least, most))


@dataclass
class Crowd:
    """All clients."""

    clients: list[Client] = field(default_factory=list)

    @classmethod
    def of(cls, number: int, port: int) -> "Crowd":
        """Start this number of clients, paused."""
        crowd = cls([Client(port, each) for each in range(number)])
        for client in crowd.clients:
            client.start()
        return crowd

    def resume(self) -> None:
        """Reset the counts, and let the clients draw."""
        for client in self.clients:
            client.counts.clear()
            client.latencies.clear()
            client.active.set()

    def suspend(self) -> None:
        """Pause the clients after their current request."""
        for client in self.clients:
            client.active.clear()
        for client in self.clients:
            client.idle.wait(60)

    def counts(self) -> Counter[str]:
        """Sum up the outcomes of all requests since `resume`."""
        return sum((client.counts for client in self.clients), Counter())

    def percentile(self, percent: int) -> float:
        """Return a percentile of the seconds until an answer, since `resume`."""
        latencies = sorted(latency for client in self.clients for latency in client.latencies)
        return latencies[(len(latencies) - 1) * percent // 100] if latencies else 0.0
