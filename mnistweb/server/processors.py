"""The processor on which a worker stays.

Python runs one thread of a worker at a time. If the system moves them between processors, each turn waits
until another processor wakes up, and finds nothing in its caches.
"""

import os
from collections import Counter
from collections.abc import Iterable


def choose(workers: int, taken: Iterable[int | None]) -> int | None:
    """Return the processor that the fewest workers have, from those of the others; None leaves it open.

    It is left open unless there are as many workers as processors: fewer would crowd the first of them, as
    those of other servers do. Some systems keep no process on a processor.
    """
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if workers != len(processors):
        return None
    counts = Counter(taken)
    return min(processors, key=counts.__getitem__)


def stay_on(processor: int | None) -> None:
    """Keep this process, and the threads that it starts, on a processor, if one is given."""
    if processor is not None:
        os.sched_setaffinity(0, {processor})
