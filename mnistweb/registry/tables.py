"""The figures of model cards as Markdown tables, for the documentation."""

from collections.abc import Iterable, Sequence

from mnistweb.recognition.model_card import ModelCard

COLUMNS = (
    ("MNIST test", ("mnist_test", "accuracy"), "{:.2%}"),
    ("drawings", ("drawings_test", "accuracy"), "{:.2%}"),
    ("digits refused", ("drawings_test", "refused"), "{:.2%}"),
    ("calibration error", ("drawings_test", "expected_calibration_error"), "{:.2%}"),
    ("symbols refused", ("held_out_symbols", "refused"), "{:.1%}"),
    ("AUROC", ("held_out_symbols", "auroc"), "{:.4f}"),
)


def summary(cards: Sequence[ModelCard]) -> str:
    """One row per network: the main figures, its size, and the time that one image takes."""
    names = [name for name, _, _ in COLUMNS]
    rows = [
        [
            f"`{card.name}`",
            *(pattern.format(card.figures[part][key]) for _, (part, key), pattern in COLUMNS),
            f"{card.parameters:,}",
            f"{card.size / 1e6:.2f} MB",
            f"{card.figures['milliseconds']:.2f} ms",
        ]
        for card in cards
    ]
    return _table(["network", *names, "parameters", "file", "one image"], rows)


def refusals(cards: Sequence[ModelCard]) -> str:
    """One row per kind of non-digit: the share that each network refuses."""
    kinds = cards[0].figures["refused_by_kind"]
    rows = [
        [kind.replace("_", " "), *(f"{card.figures['refused_by_kind'][kind]:.1%}" for card in cards)]
        for kind in kinds
    ]
    return _table(["drawn", *(f"`{card.name}`" for card in cards)], rows)


def robustness(cards: Sequence[ModelCard]) -> str:
    """One row per condition: what each network reads right, and what it does behind a plain resize."""
    rows = []
    for together in zip(*(card.figures["robustness"] for card in cards), strict=True):
        shares = [share for row in together for share in (row["right"], row["plain_resize"])]
        rows.append([together[0]["condition"], *(f"{share:.1%}" for share in shares)])
    names = [name for card in cards for name in (f"`{card.name}`", "resized")]
    return _table(["", *names], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))
