"""Export a trained network for the site: a TorchScript file and its model card."""

import io
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import torch
from torch import Tensor, nn

from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.recognizer import ignore_torchscript_warnings
from mnistweb.recognition.whole_files import write_whole


class ServedNetwork(nn.Module):
    """The exported form: takes uint8 [n, 28, 28], returns logits float32 [n, 11], scales by itself."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits of preprocessed images."""
        logits: Tensor = self.network(images.unsqueeze(1).float() / 255)
        return logits


def as_served(network: nn.Module) -> ServedNetwork:
    """Wrap a network so that it computes as the site's recognizer does, to 1e-5 of a logit."""
    return ServedNetwork(network).eval().to(memory_format=torch.channels_last)


def to_torchscript(network: nn.Module) -> bytes:
    """Convert the network to a TorchScript file. It is not frozen: attribution needs the layers."""
    buffer = io.BytesIO()
    with ignore_torchscript_warnings():
        plain = ServedNetwork(network.cpu().to(memory_format=torch.contiguous_format)).eval()
        torch.jit.save(torch.jit.script(plain), buffer)
    return _without_sources(buffer)


def _without_sources(script: io.BytesIO) -> bytes:
    # For messages of errors, torch also writes where each line of code came from: folders of this machine.
    with ZipFile(script) as full, ZipFile(shorter := io.BytesIO(), "w") as kept:
        for name in full.namelist():
            if not name.endswith(".debug_pkl"):
                kept.writestr(ZipInfo(name), full.read(name))
    return shorter.getvalue()


def write_model(directory: Path, script: bytes, card: ModelCard) -> None:
    """Write `<name>.pt` and then `<name>.json`, so that a card never describes a missing file."""
    directory.mkdir(parents=True, exist_ok=True)
    write_whole({directory / f"{card.name}.pt": script, directory / f"{card.name}.json": card.encode()})
