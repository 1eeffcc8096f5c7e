"""The story of a site that learns, with the pen strokes of writers whom no training has seen.

    python -m tests.benchmarks.story DATA_DIR

draws as 30 visitors, a fifth of them malicious, on a site with PostgreSQL. It reviews, retrains with the
review and without it, compares, promotes and rolls back. It prints what came of it.

The visitors are the 20 people to choose by, of whom ten come back with another browser. The probes are by
people of the test sets, whom the site never meets.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from mnistweb.training.data import load_drawings, stroke_files
from mnistweb.training.data_mix import only_digits
from mnistweb.training.pen_strokes import Sample
from tests.support.learning import Scale, lines, tell
from tests.support.postgres import postgres


def people(data_dir: Path) -> tuple[list[list[Sample]], list[list[Sample]]]:
    """Return the digits of the people to choose by, and those of the people of the test sets."""
    drawings = load_drawings(stroke_files(data_dir))
    return by_writer(drawings.validation), by_writer(drawings.test)


def by_writer(samples: Iterable[Sample]) -> list[list[Sample]]:
    """Return the digits of each writer."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for each in only_digits([*samples]):
        found[each.writer].append(each)
    return list(found.values())


def main() -> None:
    """Tell the story."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    arguments = parser.parse_args()
    training = ("--epochs", str(arguments.epochs), "--steps", str(arguments.steps))
    with tempfile.TemporaryDirectory() as folder, postgres() as url:
        told = tell(
            url,
            *people(arguments.data_dir),
            data_dir=arguments.data_dir,
            folder=Path(folder),
            scale=Scale(drawings=40, training=training),
        )
    print("\n".join(lines(told)))


if __name__ == "__main__":
    main()
