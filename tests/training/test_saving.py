"""Files that a training continues from are whole."""

from pathlib import Path
from typing import Any

import pytest
import torch

from mnistweb.training.saving import save


def test_an_interruption_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "runs" / "bank.pt"
    save([1], path)

    def stops(_: Any, file: Path) -> None:
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", stops)
        with pytest.raises(KeyboardInterrupt):
            save([2], path)
    assert torch.load(path) == [1]
    save([3], path)
    assert torch.load(path) == [3]
    assert [file.name for file in path.parent.iterdir()] == ["bank.pt"]
