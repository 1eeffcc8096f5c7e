"""A trained network to what the site serves: a TorchScript file and its model card."""

import io
from pathlib import Path

import torch
from torch import Tensor, nn

from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.recognizer import torchscript_warnings_silenced


class Served(nn.Module):
    """What is exported: uint8 [n, 28, 28] in, logits float32 [n, 11] out, so that no client has to scale."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Logits of preprocessed images."""
        logits: Tensor = self.network(images.unsqueeze(1).float() / 255)
        return logits


def served(network: nn.Module) -> Served:
    """The network computing as the site's recognizer does, to 1e-5 of a logit."""
    return Served(network).eval().to(memory_format=torch.channels_last)


def to_torchscript(network: nn.Module) -> bytes:
    """The network as a TorchScript file. Not frozen: its layers stay there to be looked into."""
    buffer = io.BytesIO()
    with torchscript_warnings_silenced():
        plain = Served(network.cpu().to(memory_format=torch.contiguous_format)).eval()
        torch.jit.save(torch.jit.script(plain), buffer)
    return buffer.getvalue()


def write_model(directory: Path, script: bytes, card: ModelCard) -> None:
    """Write `<name>.pt` and then `<name>.json`: a card never speaks of a file that isn't there."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{card.name}.pt").write_bytes(script)
    card.write(directory / f"{card.name}.json")
