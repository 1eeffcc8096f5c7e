"""Files of a training that the same command reads when it continues."""

from pathlib import Path
from typing import Any

import torch


def save(state: Any, path: Path) -> None:
    """Save what `torch.load` reads. An interruption leaves the file as it was, or missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    torch.save(state, unfinished)
    unfinished.replace(path)
