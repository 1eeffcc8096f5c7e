"""The story of a site that learns: writers who draw, honest and malicious feedback, and a review.

Some writers give their sevens a foot, which the shipped models take for a two or a one.
"""

import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar
from json import dumps, loads
from typing import Any

import numpy as np
from numpy.random import Generator
from PIL import Image

from mnistweb.recognition.rasteriser import Points, Stroke, rasterise
from mnistweb.recognition.types import to_ink
from mnistweb.training.pen_strokes import USUAL_VARIATION, Sample, redraw
from mnistweb.training.symbols import Drawing, resample
from tests.support.clients import csrf_token_in
from tests.support.drawings import SIDE, STROKES, data_url, encode
from tests.support.reviewers import PASSWORD

WRITERS = 30
TARGET, ALIKE = 1, 8
"""The claims of the second kind of malice about each seven, and of the third about each drawing."""
PEN = 18.0


def with_foot(strokes: Sequence[Points], rng: Generator) -> Drawing:
    """Write a seven with a foot, as long as its top."""
    points = np.concatenate(strokes)
    (left, _), (right, bottom) = points.min(axis=0), points.max(axis=0)
    reach = (right - left) * rng.uniform(0.35, 0.5)
    middle = points[points[:, 1].argmax()][0] + reach * rng.uniform(-0.1, 0.3)
    rise = reach * rng.uniform(-0.1, 0.1)
    foot = np.linspace([middle - reach, bottom - rise], [middle + reach, bottom + rise], 8)
    return (*strokes, foot)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawing as a writer sends it: its true digit, and whether it is a seven with a foot."""

    digit: int
    footed: bool
    strokes: Drawing
    width: float = PEN

    def body(self) -> dict[str, Any]:
        """Return what the API takes."""
        lines = [Stroke(points, self.width) for points in self.strokes]
        picture = rasterise(lines)
        strokes = [{"width": self.width, "points": np.round(points, 1).tolist()} for points in self.strokes]
        png = encode(Image.fromarray(to_ink(picture)))
        return {"image": data_url(png), "strokes": {"size": SIDE, "strokes": strokes}}


def own_samples() -> list[Sample]:
    """Return the digits of the tests as samples, the same for each writer."""
    return [
        Sample(tuple(resample(np.array(line, float), 5) for line in lines), digit, "", "digit")
        for digit, lines in STROKES.items()
    ]


@dataclass(slots=True)
class Writer:
    """A person who draws: their samples, their way of writing sevens, and their malice, if any."""

    number: int
    samples: Sequence[Sample]
    footed: bool
    malice: str = ""
    browser: "Browser | None" = None
    sent: list[tuple[Drawn, dict[str, Any]]] = field(default_factory=list)

    def draw(self, count: int) -> Iterator[Drawn]:
        """Yield drawings: each digit in turn, and as many sevens again from those who give them a foot."""
        rng = np.random.default_rng(1_000 + self.number)
        variation = replace(USUAL_VARIATION, sparse=0, coarse=0)
        wanted = [n % 10 for n in range(count)] + [7] * (count // 3 if self.footed else 0)
        for digit in wanted:
            choices = [each for each in self.samples if each.label == digit]
            if not choices:  # nobody wrote this digit for us
                continue
            sample = choices[rng.integers(len(choices))]
            strokes: Drawing = tuple(sample.strokes)
            footed = self.footed and digit == 7
            if footed:
                strokes = with_foot(strokes, rng)
            lines = redraw(strokes, rng, variation)
            yield Drawn(digit, footed, tuple(line.points for line in lines), float(lines[0].width))

    def claim(self, drawn: Drawn, answer: int | None, rng: Generator) -> int | None:
        """Say which digit a drawing is, truly or in malice. Honest writers say so of every drawing."""
        if self.malice == "random":
            return int(rng.integers(10))
        if self.malice == "targeted":
            return TARGET if drawn.digit == 7 else drawn.digit
        if self.malice == "alike":
            return ALIKE if answer != ALIKE else 3
        return drawn.digit


def writers(by_writer: Sequence[Sequence[Sample]]) -> list[Writer]:
    """Return the writers of the story; a fifth of them are malicious, in three ways."""
    malice = {4: "random", 9: "random", 14: "targeted", 19: "targeted", 24: "alike", 29: "alike"}
    found = []
    for n in range(WRITERS):
        turn, person = divmod(n, len(by_writer))
        # Somebody who comes back with another browser doesn't draw the same again.
        times = len(range(person, WRITERS, len(by_writer)))
        footed = n % 3 == 0 and n not in malice
        found.append(Writer(n, by_writer[person][turn::times], footed, malice.get(n, "")))
    return found


class Browser:
    """A visitor's browser: keeps cookies, and sends JSON and forms."""

    def __init__(self, base: str, address: str = "") -> None:
        self.base = base
        self.headers = {"X-Forwarded-For": address} if address else {}
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        """Return the text of a page."""
        return self._send(urllib.request.Request(self.base + path, headers=self.headers))  # noqa: S310

    def post(self, path: str, body: object, **headers: str) -> dict[str, Any]:
        """Post JSON with further headers, and return the answer."""
        headers = self.headers | {"Content-Type": "application/json"} | headers
        request = urllib.request.Request(self.base + path, dumps(body).encode(), headers)  # noqa: S310
        found: dict[str, Any] = loads(self._send(request))
        return found

    def delete(self, path: str) -> None:
        """Delete what is at a path."""
        self._send(urllib.request.Request(self.base + path, headers=self.headers, method="DELETE"))  # noqa: S310

    def submit(self, path: str, form: Sequence[tuple[str, str]]) -> str:
        """Submit a form, and return the page that it leads to."""
        data = urllib.parse.urlencode(form).encode()
        return self._send(urllib.request.Request(self.base + path, data, self.headers))  # noqa: S310

    def _send(self, request: urllib.request.Request) -> str:
        try:
            with self._opener.open(request, timeout=60) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{request.full_url}: {error.code} {error.read()[:500]!r}") from error


def draw_and_rate(base: str, each: Writer, count: int) -> None:
    """Let a writer draw, and say of each drawing which digit it is."""
    # All visitors that act alike come from one address.
    address = "198.51.100.7" if each.malice == "alike" else f"203.0.113.{each.number + 1}"
    each.browser = Browser(base, address)
    rng = np.random.default_rng(each.number)
    # The first key decides who the visitor is, and thereby the side of the split: the same in each telling.
    for turn, drawn in enumerate(each.draw(count)):
        key = {"Idempotency-Key": f"writer {each.number}, drawing {turn}"}
        answer = each.browser.post("/api/v1/predictions", drawn.body(), **key)
        each.sent.append((drawn, answer))
        claim = each.claim(drawn, answer["digit"], rng)
        each.browser.post(f"/api/v1/predictions/{answer['id']}/feedback", {"label": claim})


def review_all(base: str, truth: dict[str, int]) -> int:
    """Review every drawing of the queue: a person looks at it, and says which digit it is.

    Returns the number of reviewed drawings.
    """
    browser = Browser(base)
    token = csrf_token_in(browser.get("/review/login"))
    login = [("csrf_token", token), ("name", "Ada"), ("password", PASSWORD)]
    page = browser.submit("/review/login", login)
    reviewed = 0
    while values := re.findall(r'name="drawing" value="([^"]+)"', page):
        by_digit: dict[int, list[str]] = {}
        for value in values:
            by_digit.setdefault(truth[value.split(":")[0]], []).append(value)
        token = csrf_token_in(page)
        for digit, chosen in by_digit.items():
            fields = [
                ("csrf_token", token),
                ("decision", str(digit)),
                *(("drawing", each) for each in chosen),
            ]
            browser.submit("/review/decide", fields)
            reviewed += len(chosen)
        page = browser.get("/review")
    return reviewed
