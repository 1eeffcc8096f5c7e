"""Clock for tests, whose time is set by hand."""


class Clock:
    """Seconds, which pass only when `now` is changed."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
