"""How sure a share is that was found by counting."""

from math import sqrt


def interval(correct: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The score interval of the share `correct` / `count`: two shares 0..1, the lower one first.

    `z` is the normal quantile: 1.96 for 95 %. Of nothing counted nothing is known: (0, 1). Raises
    ValueError unless 0 <= correct <= count. After Wilson, "Probable inference, the law of succession, and
    statistical inference", J. Am. Stat. Assoc. 22 (1927) 209-212.
    """
    if not 0 <= correct <= count:
        raise ValueError(f"{correct} of {count} is no share")
    if not count:
        return 0.0, 1.0
    share, square = correct / count, z * z / count
    middle = (share + square / 2) / (1 + square)
    half = z * sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    # At 0 and at 1 the bound is the share itself; rounding must not carry it past.
    return (max(0.0, middle - half) if correct else 0.0), (
        min(1.0, middle + half) if correct < count else 1.0
    )
