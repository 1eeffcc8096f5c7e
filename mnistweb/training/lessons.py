"""Lessons: the batches of an epoch as a network sees them, with the answers that it learns.

Knowledge distillation: G. Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural network",
2015. The teachers answer the very image that the network sees, however distorted: L. Beyer et al., "Knowledge
distillation: A good teacher is patient and consistent", 2022.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.nn.utils import fuse_conv_bn_eval
from torch.utils.data import DataLoader, IterableDataset

from mnistweb.training.augmentation import Distortion, distort
from mnistweb.training.data import Images
from mnistweb.training.data_mix import BatchMix

SOFTNESS = 3.0
"""Temperature at which the teachers' answers are learnt: it shows what they hold possible besides."""
TAUGHT = 0.7
"""Share of the teachers' answers in the loss; the rest is the label's."""

Lesson = tuple[Tensor, Tensor, Tensor | None]
"""Images float32 [n, 1, 28, 28] in 0..1, classes int64 [n], and the teachers' probabilities [n, 11]."""


class Batches(Protocol):
    """Training data in batches, and the validation sets by name."""

    @property
    def validation(self) -> dict[str, Images]:
        """The validation sets."""

    def steps(self, mix: BatchMix) -> int:
        """Return the number of batches in an epoch."""

    def batches(self, mix: BatchMix, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of an epoch: float32 [n, 1, 28, 28] in 0..1 and int64 [n] classes."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One cycle of the learning rate: up to `learning_rate` and down to nearly zero."""

    epochs: int
    learning_rate: float
    distortion: Distortion = dataclasses.field(default_factory=Distortion)
    warm_up: float = 0.25  # share of the steps in which the learning rate rises
    sharp: float = 0.5  # share of the images that are not distorted: distorting blurs
    mix: BatchMix = dataclasses.field(default_factory=BatchMix)


@dataclass(frozen=True, slots=True)
class Teachers:
    """Trained networks that another one learns from; with `apart`, they work in a process of their own."""

    networks: Sequence[nn.Module] = ()
    apart: bool = False


NO_TEACHERS = Teachers()


class Lessons(IterableDataset[Lesson]):
    """The lessons of an epoch. They depend on nothing but the data, the phase, the seed and the teachers."""

    def __init__(
        self, data: Batches, phase: Phase, seed: int, device: torch.device, teachers: Sequence[nn.Module]
    ) -> None:
        self.data, self.phase, self.seed, self.device = data, phase, seed, device
        self.teachers = [_folded(network).to(device) for network in teachers]

    def __iter__(self) -> Iterator[Lesson]:
        # Two generators, so that the order of the data does not depend on the device.
        order = Generator().manual_seed(self.seed)
        noise = Generator(self.device).manual_seed(self.seed)
        for images, labels in self.data.batches(self.phase.mix, order):
            images, labels = images.to(self.device), labels.to(self.device)
            # To distort is to resample, and that blurs: some images stay as sharp as the site's.
            blurred = round(len(images) * (1 - self.phase.sharp))
            chosen = torch.randperm(len(images), generator=order)[:blurred].to(self.device)
            if blurred:
                images[chosen] = distort(images[chosen], self.phase.distortion, noise)
            images = images.contiguous(memory_format=torch.channels_last)
            yield images, labels, self._answers(images)

    @torch.no_grad()
    def _answers(self, images: Tensor) -> Tensor | None:
        if not self.teachers:
            return None
        with autocast(self.device):
            logits = [network(images).float() for network in self.teachers]
        return torch.stack([(each / SOFTNESS).softmax(1) for each in logits]).mean(0)


def _folded(network: nn.Module) -> nn.Module:
    """Return a copy with batch normalization folded into the convolutions: a quarter faster."""
    network = deepcopy(network).eval()
    for block in network.modules():
        for (first, convolution), (second, normalization) in pairwise(block.named_children()):
            if isinstance(convolution, nn.Conv2d) and isinstance(normalization, nn.BatchNorm2d):
                setattr(block, first, fuse_conv_bn_eval(convolution, normalization))
                setattr(block, second, nn.Identity())
    return network


def lessons(
    data: Batches, phase: Phase, seed: int, device: torch.device, teachers: Teachers = NO_TEACHERS
) -> Iterable[Lesson]:
    """Return the lessons of an epoch, the same in this process and apart."""
    each = Lessons(data, phase, seed, device, teachers.networks)
    if not teachers.apart:
        return each
    return DataLoader(each, batch_size=None, num_workers=1, generator=Generator())


def loss_of(logits: Tensor, labels: Tensor, answers: Tensor | None) -> Tensor:
    """Compute the mean cross-entropy of logits [n, 11] with the labels, and with the teachers' answers."""
    loss = functional.cross_entropy(logits, labels)
    if answers is None:
        return loss
    # A softened answer has smaller gradients, by the square of the temperature (Hinton et al., section 2).
    taught = functional.cross_entropy(logits / SOFTNESS, answers) * SOFTNESS**2
    return loss.lerp(taught, TAUGHT)


def autocast(device: torch.device) -> torch.autocast:
    """Return a context in which networks compute with the dtype for training."""
    half = precision(device)
    return torch.autocast(device.type, half, enabled=half is not torch.float32)


def precision(device: torch.device) -> torch.dtype:
    """Return the dtype for training: half precision if the device is faster with it."""
    if device.type == "cuda":
        return torch.float16
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # since torch 2.10
    native = device.type == "cpu" and capabilities.get("avx512_bf16", False)
    return torch.bfloat16 if native else torch.float32
