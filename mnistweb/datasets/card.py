"""The data card: README.md of an export, in the form that Hugging Face reads."""

from collections.abc import Iterator, Mapping

from mnistweb.datasets.formats.parquet import FEATURES
from mnistweb.datasets.formats.writer import CLASSES, SPLITS
from mnistweb.datasets.manifest import Manifest

CARD = "README.md"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
LARGEST = "1M<n<10M"
ORIGINS = {
    "reviewed": "the operator looked at the drawing and decided",
    "prompted": "the visitor was asked to draw this digit",
    "feedback": "the visitor said so afterwards; nobody checked it",
}
USES = {
    "idx": ("MNIST's files", 'torchvision.datasets.MNIST(".")'),
    "png": ("A folder for each class", 'torchvision.datasets.ImageFolder("png/train", allow_empty=True)'),
    "csv": ("Kaggle's columns", 'pandas.read_csv("csv/train.csv")'),
    "parquet": ("Parquet", 'datasets.load_dataset(".")'),
    "strokes": ("Pen strokes", "mnistweb train --strokes strokes/train.json.gz"),
}
DIGITS_ONLY = ("idx", "csv", "strokes")
PAGE = """\
# Drawn digits

Digits that visitors of a site drew with mouse, pen or finger: 28 x 28 pixels each, as MNIST has them. Ink is
255, the background 0. Version {version} of mnistweb made this on {day}, from drawings whose labels are
{labels}{filter}.

## Content

{counts}

A label's origin says how it is known:

{origins}

## Formats

{formats}

{left_out}
## Splits

One visitor in five is in the test split, with all of their drawings, so nobody is on both sides. A visitor is
on the same side in each data set of the site.

## Privacy

`writer` is a number for a visitor. It says which drawings are of one hand, and names nobody: the site knows
visitors by random ids alone. A picture has its pixels and nothing else. Visitors may ask the site to forget
their drawings, and its operator finds them by this number (`mnistweb data forget`). Then please delete them
from your copy, too.

## Integrity

`manifest.json` has the size and the SHA-256 of each file.{hashes}

## Licence

Visitors drew these for the site. State here under which licence you pass them on.
"""


def data_card(manifest: Manifest) -> str:
    """Return the card of an export: a head in YAML, and a page in Markdown."""
    return "\n".join(["---", *_head(manifest), "---", "", _page(manifest)])


def _head(manifest: Manifest) -> Iterator[str]:
    drawings = manifest.counts["drawings"]
    size = next((name for below, name in SIZES if drawings < below), LARGEST)
    yield from ("pretty_name: Drawn digits", "license: unknown")
    yield from ("task_categories:", "- image-classification", "size_categories:", f"- {size}")
    if "parquet" in manifest.formats:
        yield from ("configs:", "- config_name: default", "  data_files:")
        # Hugging Face loads no file without rows.
        filled = [split for split in SPLITS if manifest.formats["parquet"][split]]
        for split in filled:
            yield from (f"  - split: {split}", f"    path: data/{split}.parquet")
        yield from ("dataset_info:", "  features:")
        for name, feature in FEATURES.items():
            yield f"  - name: {name}"
            yield from _feature(feature)
        yield "  splits:"
        for split in filled:
            yield from (
                f"  - name: {split}",
                f"    num_examples: {manifest.formats['parquet'][split]}",
            )


def _feature(feature: Mapping[str, object]) -> Iterator[str]:
    if feature["_type"] == "ClassLabel":
        yield from ("    dtype:", "      class_label:", "        names:")
        yield from (f"          '{number}': '{name}'" for number, name in enumerate(CLASSES))
    else:
        yield f"    dtype: {feature.get('dtype', 'image')}"


def _page(manifest: Manifest) -> str:
    counts = manifest.counts
    nothing = counts["labels"]["not a digit"]
    without = [name for name in DIGITS_ONLY if name in manifest.formats]
    criteria = ", ".join(f"`{key}={value}`" for key, value in manifest.filter.items())
    return PAGE.format(
        version=manifest.site_version,
        day=manifest.made_at[:10],
        labels="of any origin" if manifest.labels == "any" else f"of the origin `{manifest.labels}`",
        filter=f", with the filter {criteria}" if criteria else "",
        counts=_table(
            ("", "drawings"),
            [
                ("all", counts["drawings"]),
                *((f"label {name}", count) for name, count in counts["labels"].items()),
                *((f"split {name}", count) for name, count in counts["splits"].items()),
                *((f"origin {name}", count) for name, count in counts["origins"].items()),
            ],
        )
        + f"\n\nBy {counts['writers']:,} visitors.",
        origins="\n".join(f"- `{name}`: {words}" for name, words in ORIGINS.items()),
        formats=_table(
            ("format", "read it with", "train", "test"),
            [
                (USES[name][0], f"`{USES[name][1]}`", written["train"], written["test"])
                for name, written in manifest.formats.items()
            ],
        ),
        left_out=(
            f"{nothing:,} drawing{'s that are' if nothing > 1 else ' that is'} not a digit "
            f"{'have' if nothing > 1 else 'has'} no place among the ten classes of "
            f"{', '.join(f'`{name}`' for name in without)}.\n"
            if nothing and without
            else ""
        ),
        hashes=(
            " Those of the pictures are in `png/SHA256SUMS`, for `sha256sum -c`."
            if "png" in manifest.formats
            else ""
        ),
    )


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    def shown(cell: object) -> str:
        return f"{cell:,}" if isinstance(cell, int) else str(cell)

    lines = [head, ("---",) * len(head), *(tuple(map(shown, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
