"""A comparison as text for a terminal."""

from collections.abc import Iterator, Sequence

from mnistweb.formatting import percent
from mnistweb.proportion import Proportion
from mnistweb.recognition.comparison import Comparison, Difference, SetResult


def comparison_text(compared: Comparison, margin: float) -> str:
    """Return the comparison as tables and the verdict in words."""
    lines = [
        f"{compared.model}: {compared.old} (old) and {compared.new} (new)",
        *compared.notes,
        "",
        *table(
            ("set", "drawings", "old right", "new right", "difference", "only old", "only new", "p"),
            [_accuracy(each) for each in compared.sets],
        ),
        "",
        *table(
            ("old → new", "refused", "in doubt", "wrong", "sure but wrong", "calibration error"),
            [_answers(each) for each in compared.sets],
        ),
        "",
        *table(("right, old → new", *(each.name for each in compared.sets)), [*_by_digit(compared.sets)]),
        "",
        *_verdict(compared, margin),
    ]
    return "\n".join(lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, the first column to the left."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for cells in (head, *rows):
        first, *others = (
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        yield "  ".join([first, *others]).rstrip()


def difference_text(difference: Difference) -> str:
    """Format a difference and its interval in percentage points."""
    value, low, high = (f"{100 * each:+.2f}" for each in (difference.value, difference.low, difference.high))
    return f"{value} ({low} to {high})"


def _accuracy(result: SetResult) -> tuple[str, ...]:
    answers = result.answers
    return (
        f"{result.title}{' *' if result.frozen else ''}",
        f"{result.n:,}",
        _share(answers.old_right),
        _share(answers.new_right),
        difference_text(answers.difference),
        f"{answers.only_old:,}",
        f"{answers.only_new:,}",
        f"{result.p:.2g}",
    )


def _share(share: Proportion) -> str:
    low, high = (f"{100 * each:.1f}" for each in share.interval)
    return f"{percent(share.value, 2)} ({low} to {high})"


def _answers(result: SetResult) -> tuple[str, ...]:
    old, new = result.answers.old, result.answers.new
    errors = (result.old_calibration_error, result.new_calibration_error)
    before, after = ("–" if each is None else percent(each, 2) for each in errors)
    counts = ("refused", "doubtful", "wrong", "sure_wrong")
    shares = (tuple(percent(getattr(each, name) / result.n, 2) for each in (old, new)) for name in counts)
    return (result.title, *(f"{was} → {now}" for was, now in shares), f"{before} → {after}")


def _by_digit(sets: Sequence[SetResult]) -> Iterator[tuple[str, ...]]:
    names = dict.fromkeys(name for each in sets for name in each.parts)
    for name in sorted(names):
        cells = []
        for each in sets:
            part = each.parts.get(name)
            cells.append(
                f"{percent(part.old_right.value)} → {percent(part.new_right.value)}" if part else "–"
            )
        yield (name, *cells)


def _verdict(compared: Comparison, margin: float) -> Iterator[str]:
    verdict = compared.decision(margin)
    yield "* frozen: the same drawings in each comparison. Intervals are of 95 %, p of McNemar's exact test."
    if verdict.passes:
        yield "It may go live: better on reviewed drawings, and no frozen set worse by more than the margin."
    else:
        yield "It stays out."
        yield from (f"- {reason}" for reason in verdict.reasons)
