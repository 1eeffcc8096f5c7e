"""The examples in deploy/monitoring use exactly the metrics of the site."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from mnistweb.observability import metrics
from mnistweb.settings.declarations import SETTINGS
from mnistweb.web.error_handlers import HTTP_ERRORS, STATUS

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring"
PROMETHEUS_LABELS = {"job", "instance"}
SUFFIXES = {Counter: ["_total"], Gauge: [""], Histogram: ["_bucket", "_sum", "_count"]}
# Replaced by Grafana.
INTERVAL = "$__rate_interval"


def read(name: str) -> Any:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def known_series() -> dict[str, set[str]]:
    """Return the labels of every series by name, including the one that Prometheus adds."""
    series: dict[str, set[str]] = {"up": set()}
    for metric in vars(metrics).values():
        if isinstance(metric, (Counter, Gauge, Histogram)):
            for suffix in SUFFIXES[type(metric)]:
                extra = {"le"} if suffix == "_bucket" else set()
                name = metric._name
                series[name + suffix] = {*metric._labelnames, *extra}
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


def subexpressions(node: Any) -> Iterator[Any]:
    """Yield a node of an expression and all nodes below it."""
    yield node
    below = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "param", "vector_selector")]
    for each in [*below, *getattr(node, "args", [])]:
        if isinstance(each, promql.Expr):
            yield from subexpressions(each)


@pytest.mark.parametrize(("name", "text"), EXPRESSIONS)
def test_expressions_use_existing_series_and_labels(name: str, text: str) -> None:
    known = known_series()
    selected: list[str] = []
    labels: set[str] = set()
    grouped: set[str] = set()
    for node in subexpressions(promql.parse(text)):
        if isinstance(node, promql.VectorSelector):
            assert node.name in known
            selected.append(node.name)
            labels |= known[node.name]
            matched = {matcher.name for matcher in node.matchers.matchers}
            assert matched <= known[node.name] | PROMETHEUS_LABELS
        if isinstance(node, promql.AggregateExpr) and node.modifier:
            grouped |= set(node.modifier.labels)
    assert selected
    assert grouped <= labels | PROMETHEUS_LABELS


def test_every_metric_is_used() -> None:
    shown = " ".join(text for _, text in EXPRESSIONS)
    names = {
        metric._name for metric in vars(metrics).values() if isinstance(metric, (Counter, Gauge, Histogram))
    }
    assert names
    assert {name for name in names if not re.search(rf"\b{name}(_total|_bucket|_sum)?{{", shown)} == set()


def test_error_codes_in_expressions_exist() -> None:
    codes = {*STATUS, *(code for code, _ in HTTP_ERRORS.values())}
    used = {
        code
        for _, text in EXPRESSIONS
        for values in re.findall(r'code=~?"([^"]+)"', text)
        for code in values.split("|")
    }
    assert used
    assert used <= codes


def test_legends_use_grouped_labels() -> None:
    for panel in panels():
        for target in panel["targets"]:
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                assert re.search(rf"by \([^)]*\b{label}\b", target["expr"]), panel["title"]


def test_alerts_have_severity_and_annotations() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "description"}


def test_prometheus_configuration_matches_the_site() -> None:
    config = read("prometheus.yml")
    (job,) = config["scrape_configs"]
    (port,) = [setting.default for setting in SETTINGS if setting.key == "PORT"]
    assert job["authorization"]["type"] == "Bearer"
    assert [target.rpartition(":")[2] for target in job["static_configs"][0]["targets"]] == [port]
    assert {(FOLDER / name).is_file() for name in config["rule_files"]} == {True}
    expressions = " ".join(rule["expr"] for rule in rules())
    assert set(re.findall(r'job="([^"]+)"', expressions)) == {job["job_name"]}


def test_panels_do_not_overlap() -> None:
    covered: set[tuple[int, int]] = set()
    for panel in panels():
        box = panel["gridPos"]
        cells = {
            (x, y) for x in range(box["x"], box["x"] + box["w"]) for y in range(box["y"], box["y"] + box["h"])
        }
        assert not cells & covered, panel["title"]
        assert box["x"] + box["w"] <= 24
        covered |= cells
