"""`mnistweb data stats`."""

import json
from collections.abc import Iterator

import click

from mnistweb.cli.data.context import on_database, progress
from mnistweb.datasets.records import Selection, count_records
from mnistweb.datasets.statistics import ORIGINS, Statistics, as_json, measure
from mnistweb.formatting import percent
from mnistweb.proportion import Proportion

OTHERS = ("rejected", "hidden", "unlabelled")


@click.command()
@click.option("--json", "as_object", is_flag=True, help="Print JSON.")
def stats(as_object: bool) -> None:
    """Count drawings by label and origin, and say how far labels and answers agree."""
    with on_database(), progress(count_records(Selection("any"))) as advance:
        found = measure(advance)
    click.echo(json.dumps(as_json(found), indent=2) if as_object else "\n".join(_lines(found)))


def _lines(found: Statistics) -> Iterator[str]:
    labelled = sum(found.origins[origin] for origin in ORIGINS)
    yield f"{found.drawings:,} drawings of {found.visitors:,} visitors"
    yield f"{labelled:,} with a label, of {found.writers:,} visitors"
    yield from (f"{found.origins[name]:,} {name}" for name in OTHERS)
    yield ""
    yield f"{'label':12} {'reviewed':>10} {'prompted':>10} {'feedback':>10} {'read as':>10}"
    for name, counts in found.labels.items():
        numbers = (*(counts[origin] for origin in ORIGINS), found.digits[name])
        yield f"{name:12} " + " ".join(f"{number:10,}" for number in numbers)
    yield ""
    for origin, right in found.read_right.items():
        yield f"{_share(right)} of the {origin} drawings were read right"
    yield f"{_share(found.claimed_right)} of the claims that were reviewed are right"
    yield f"{found.splits['train']:,} drawings to train, {found.splits['test']:,} to test"
    yield f"{found.alike:,} look like an earlier one"


def _share(share: Proportion) -> str:
    if not share.total:
        return "none"
    low, high = (percent(each) for each in share.interval)
    return f"{percent(share.value)} ({low} to {high}; {share.part:,} of {share.total:,})"
