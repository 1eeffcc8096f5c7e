"""A site that learns: draw, rate, review, retrain, compare, promote and roll back."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mnistweb.recognition.comparison import Comparison, parse_comparison
from mnistweb.training.pen_strokes import Sample
from tests.support.reviewers import PASSWORD_HASH
from tests.support.servers import COMMAND, ROOT, served_site
from tests.support.sites import SECRET
from tests.support.story import Browser, Drawn, Writer, draw_and_rate, review_all, writers

MODEL = "cnn"
STRANGERS = 10
"""People who draw the probes."""
TAKEN_UP_WITHIN = 10.0
"""Seconds until every server answers with the version that was promoted."""

Call = Callable[[Sequence[str], Mapping[str, str]], str]
"""Calls the command line with arguments and further environment variables; returns what it says."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The amount of drawings and of training."""

    drawings: int = 20  # of each writer; those who give their sevens a foot draw a third more
    probes: int = 20  # sevens with a foot by each stranger
    training: Sequence[str] = ()  # further options of `mnistweb retrain`


@dataclass(slots=True)
class Told:
    """The outcome: shares of right answers to sevens with a foot, and the comparisons by their name."""

    before: float = 0.0
    live: float = 0.0
    after_rollback: float = 0.0
    unreviewed: float = 0.0
    claims: int = 0
    false_claims: int = 0
    reviewed: int = 0
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def tell(
    database_url: str,
    met: Sequence[Sequence[Sample]],
    unmet: Sequence[Sequence[Sample]],
    data_dir: Path,
    folder: Path,
    scale: Scale,
    call: Call | None = None,
) -> Told:
    """Let it all happen on an empty PostgreSQL database, by HTTP and by command line.

    `met` are the digits of the people who draw, `unmet` those of others. Raises AssertionError.
    """
    told = Told()
    environment = {
        "DATABASE_URL": database_url,
        "INSTANCE_PATH": str(folder),
        "REVIEW_PASSWORD_HASH": PASSWORD_HASH,
        "SECRET_KEY": SECRET,
        "RATELIMIT_ENABLED": "false",
        "PROXY_HOPS": "1",
        "WORKERS": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = Command(call or by_process, environment, data_dir, folder)
    people = writers(met)
    strangers = [Writer(100 + n, each, footed=True) for n, each in enumerate(unmet[:STRANGERS])]
    probes = [drawn for each in strangers for drawn in footed(each, scale.probes)]
    with served_site(environment) as port:
        base = f"http://127.0.0.1:{port}"
        with timed(told, "draw and rate"):
            for each in people:
                draw_and_rate(base, each, scale.drawings)
        truth = {answer["id"]: drawn.digit for each in people for drawn, answer in each.sent}
        told.claims = len(truth)
        told.false_claims = false_claims(base, people)
        told.before, told.versions["shipped"] = read(base, probes)
        with timed(told, "retrain without a review"):
            told.versions["unreviewed"] = command.retrain("feedback", scale.training)
        with timed(told, "review"):
            told.reviewed = review_all(base, truth)
        with timed(told, "retrain"):
            told.versions["reviewed"] = command.retrain("reviewed", scale.training)
        for name in ("unreviewed", "reviewed"):
            with timed(told, f"compare {name}"):
                told.comparisons[name] = command.compare(told.versions[name], f"{name}.json")
        passes = told.comparisons["reviewed"].decision().passes
        file = folder / "reviewed.json"
        why = [] if passes else ["--force", "--reason", "to see what it does"]
        command.run("models", "promote", MODEL, told.versions["reviewed"], "--comparison", file, *why)
        with timed(told, "take up"):
            wait_for(base, probes[0], told.versions["reviewed"])
        told.live, version = read(base, probes)
        assert version == told.versions["reviewed"]
        command.run("models", "rollback", MODEL)
        with timed(told, "roll back"):
            wait_for(base, probes[0], told.versions["shipped"])
        told.after_rollback, _ = read(base, probes)
        forced = ["--force", "--reason", "to see what unreviewed feedback does"]
        command.run("models", "promote", MODEL, told.versions["unreviewed"], *forced)
        wait_for(base, probes[0], told.versions["unreviewed"])
        told.unreviewed, _ = read(base, probes)
    return told


@dataclass(frozen=True, slots=True)
class Command:
    """The command line beside the running site."""

    call: Call
    environment: Mapping[str, str]
    data_dir: Path
    folder: Path

    def run(self, *arguments: object) -> str:
        """Call a command, and return what it says."""
        return self.call([*map(str, arguments)], self.environment)

    def retrain(self, labels: str, options: Sequence[str]) -> str:
        """Train on labels of this origin, and return the new version."""
        said = self.run("retrain", "--model", MODEL, "--labels", labels, *self._places(), *options)
        [line] = [line for line in said.splitlines() if line.startswith("Exported")]
        return line.split("version ")[1].rstrip(".")

    def compare(self, version: str, file: str) -> Comparison:
        """Compare the live version with this one."""
        self.run(
            "models", "compare", MODEL, f"{MODEL}@{version}", *self._places(), "--json", self.folder / file
        )
        return parse_comparison((self.folder / file).read_text())

    def _places(self) -> list[object]:
        return ["--data-dir", self.data_dir, "--runs", self.folder / "runs"]


def by_process(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Call the command line in a process of its own."""
    done = subprocess.run(
        [*COMMAND, *arguments], env=os.environ | environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def footed(each: Writer, count: int) -> Iterator[Drawn]:
    """Yield sevens with a foot."""
    return (drawn for drawn in each.draw(10 * count) if drawn.footed)


def read(base: str, probes: Sequence[Drawn]) -> tuple[float, str]:
    """Draw the probes as a stranger, and delete them; return the share read right, and the version."""
    browser = Browser(base, "192.0.2.1")
    answers = [browser.post("/api/v1/predictions", each.body()) for each in probes]
    browser.delete("/api/v1/predictions?mine=1")  # or else they would be reviewed, and learnt from
    [version] = {str(answer["model_version"]) for answer in answers}
    return float(
        np.mean([answer["digit"] == each.digit for answer, each in zip(answers, probes, strict=True)])
    ), version


def wait_for(base: str, probe: Drawn, version: str) -> None:
    """Wait until twenty answers in turn are this version's."""
    browser, deadline, turn = Browser(base, "192.0.2.2"), time.monotonic() + 3 * TAKEN_UP_WITHIN, 0
    while turn < 20:
        answer = browser.post("/api/v1/predictions", probe.body())
        turn = turn + 1 if answer["model_version"] == version else 0
        assert time.monotonic() < deadline, f"still {answer['model_version']}"
    browser.delete("/api/v1/predictions?mine=1")


def false_claims(base: str, people: Sequence[Writer]) -> int:
    """Count the claims that are not true, as the site has stored them."""
    wrong = 0
    for each in people:
        assert each.browser
        for drawn, answer in each.sent:
            kept = json.loads(each.browser.get(f"/api/v1/predictions/{answer['id']}"))
            wrong += kept["label"] != drawn.digit
    return wrong


@contextmanager
def timed(told: Told, what: str) -> Iterator[None]:
    """Note how long something took."""
    started = time.monotonic()
    yield
    told.seconds[what] = time.monotonic() - started


def lines(told: Told) -> Iterator[str]:
    """Yield the report."""
    yield f"{told.claims} drawings with a claim, {told.false_claims} of them false; {told.reviewed} reviewed"
    yield f"sevens with a foot read right: {told.before:.1%} before, {told.live:.1%} when the version from"
    yield f"  reviewed drawings was live, {told.after_rollback:.1%} after the rollback,"
    yield f"  {told.unreviewed:.1%} with the version from unreviewed claims"
    for name, each in told.comparisons.items():
        verdict = each.decision()
        yield f"{name}: {each.old} -> {each.new}, {'passes' if verdict.passes else 'is refused'}"
        for result in each.sets:
            old, new = result.answers.old_right, result.answers.new_right
            yield (
                f"  {result.title}{' *' if result.frozen else ''}: {result.n}, "
                f"{old.value:.2%} -> {new.value:.2%} (p = {result.p:.2g})"
            )
        yield from (f"  {reason}" for reason in verdict.reasons)
    yield ", ".join(f"{what} {seconds:.0f} s" for what, seconds in told.seconds.items())
