"""How each network of the zoo is trained, and what its card says in words."""

from dataclasses import dataclass

from mnistweb.training.augmentation import Distortion
from mnistweb.training.loop import Phase, TrainingConfig

MILD = Distortion(rotation=8, slant=0.12, stretch=0.1, shift=1.0, elastic=0.6, ink=0.3)
"""Nearer to what is really drawn: for small networks, and to finish a larger one."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A network's configuration beside its description."""

    config: TrainingConfig
    title: str
    summary: str
    weaknesses: tuple[str, ...]


RECIPES = {
    "cnn": Recipe(
        TrainingConfig("cnn", (Phase(15, 3e-3), Phase(5, 1e-3, MILD, warm_up=0.1))),
        "Convolutional network",
        "Five convolutions with batch normalisation. The default: the most accurate of the three.",
        (
            "It can't refuse letters that are drawn exactly like a digit: O, l, S, Z.",
            "A 1 with a long foot or flag, and a 7 without a bar, may be taken for one another.",
        ),
    ),
    "lenet5": Recipe(
        TrainingConfig("lenet5", (Phase(40, 3e-3, MILD),), weight_decay=0.01),
        "LeNet-5",
        "The classic of 1998: three convolutions, two subsampling layers, 62 thousand parameters.",
        (
            "It reads fewer drawings right than the convolutional network, and refuses fewer letters.",
            "Very thin and very thick pens trouble it.",
        ),
    ),
    "vit": Recipe(
        TrainingConfig("vit", (Phase(16, 2e-3, MILD),), weight_decay=0.05),
        "Vision Transformer",
        "49 patches of the image that attend to each other, four layers deep.",
        (
            "It needs more examples than a convolutional network to learn as much.",
            "It is the slowest of the three.",
        ),
    ),
}
