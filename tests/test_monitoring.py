"""The examples in deploy/monitoring ask for what the site tells, and for nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from mnistweb.config import SETTINGS
from mnistweb.observability import metrics
from mnistweb.web.error_handlers import HTTP_ERRORS, STATUS

FOLDER = Path(__file__).parent.parent / "deploy" / "monitoring"
BY_PROMETHEUS = {"job", "instance"}
ENDINGS = {Counter: ["_total"], Gauge: [""], Histogram: ["_bucket", "_sum", "_count"]}
# Grafana puts these in itself.
INTERVAL = "$__rate_interval"


def read(name: str) -> Any:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def told() -> dict[str, set[str]]:
    """The labels of every series that the code counts, by its name; and of the one Prometheus makes."""
    series: dict[str, set[str]] = {"up": set()}
    for metric in vars(metrics).values():
        if isinstance(metric, (Counter, Gauge, Histogram)):
            for ending in ENDINGS[type(metric)]:
                more = {"le"} if ending == "_bucket" else set()
                name = metric._name
                series[name + ending] = {*metric._labelnames, *more}
    return series


def rules() -> list[dict[str, Any]]:
    return [rule for group in read("alerts.yml")["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read("dashboard.json")["panels"]
    return found


EXPRESSIONS = [(rule["alert"], rule["expr"]) for rule in rules()] + [
    (panel["title"], target["expr"].replace(INTERVAL, "5m"))
    for panel in panels()
    for target in panel["targets"]
]


def parts(node: Any) -> Iterator[Any]:
    """A node of an expression, and all that it is made of."""
    yield node
    below = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
    for each in [*below, *getattr(node, "args", [])]:
        if isinstance(each, promql.Expr):
            yield from parts(each)


@pytest.mark.parametrize(("name", "text"), EXPRESSIONS)
def test_every_expression_asks_for_series_and_labels_that_exist(name: str, text: str) -> None:
    known = told()
    selected: list[str] = []
    labels: set[str] = set()
    grouped: set[str] = set()
    for node in parts(promql.parse(text)):
        if isinstance(node, promql.VectorSelector):
            assert node.name in known
            selected.append(node.name)
            labels |= known[node.name]
            assert {matcher.name for matcher in node.matchers.matchers} <= known[node.name] | BY_PROMETHEUS
        if isinstance(node, promql.AggregateExpr) and node.modifier:
            grouped |= set(node.modifier.labels)
    assert selected
    assert grouped <= labels | BY_PROMETHEUS


def test_everything_that_is_counted_is_shown() -> None:
    shown = " ".join(text for _, text in EXPRESSIONS)
    names = {
        metric._name for metric in vars(metrics).values() if isinstance(metric, (Counter, Gauge, Histogram))
    }
    assert names
    assert {name for name in names if not re.search(rf"\b{name}(_total|_bucket|_sum)?{{", shown)} == set()


def test_the_codes_that_are_asked_for_are_codes_of_errors() -> None:
    codes = {*STATUS, *(code for code, _ in HTTP_ERRORS.values())}
    asked = {
        code
        for _, text in EXPRESSIONS
        for values in re.findall(r'code=~?"([^"]+)"', text)
        for code in values.split("|")
    }
    assert asked
    assert asked <= codes


def test_legends_name_labels_that_are_left() -> None:
    for panel in panels():
        for target in panel["targets"]:
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                assert re.search(rf"by \([^)]*\b{label}\b", target["expr"]), panel["title"]


def test_every_alert_says_how_urgent_it_is_and_what_it_means() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "description"}


def test_prometheus_asks_as_the_site_wants_to_be_asked() -> None:
    config = read("prometheus.yml")
    (job,) = config["scrape_configs"]
    (port,) = [setting.default for setting in SETTINGS if setting.key == "PORT"]
    assert job["authorization"]["type"] == "Bearer"
    assert [target.rpartition(":")[2] for target in job["static_configs"][0]["targets"]] == [port]
    assert {(FOLDER / name).is_file() for name in config["rule_files"]} == {True}
    asked = " ".join(rule["expr"] for rule in rules())
    assert set(re.findall(r'job="([^"]+)"', asked)) == {job["job_name"]}


def test_no_panel_covers_another() -> None:
    covered: set[tuple[int, int]] = set()
    for panel in panels():
        box = panel["gridPos"]
        cells = {
            (x, y) for x in range(box["x"], box["x"] + box["w"]) for y in range(box["y"], box["y"] + box["h"])
        }
        assert not cells & covered, panel["title"]
        assert box["x"] + box["w"] <= 24
        covered |= cells
