"""Recipes: training configuration and description of each network."""

from dataclasses import dataclass, replace

from mnistweb.training.augmentation import Distortion
from mnistweb.training.data_mix import BatchMix
from mnistweb.training.lessons import Phase
from mnistweb.training.loop import TrainingConfig

MILD = Distortion(rotation=8, slant=0.12, stretch=0.1, shift=1.0, elastic=0.6, ink=0.3)
"""Distortion nearer to real drawings: for small networks, and for the last phase of a larger one."""


GENTLE = Distortion(rotation=6, slant=0.1, stretch=0.08, shift=0.7, elastic=0.5, ink=0.2)
MORE_MNIST = BatchMix(mnist=72, drawings=30, not_digits=26)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Configuration and description of a network.

    With `finish`, the exported network has a last stage, on non-digits sorted by shape.
    """

    config: TrainingConfig
    title: str
    summary: str
    weaknesses: tuple[str, ...]
    finish: TrainingConfig | None = None

    def with_epochs(self, epochs: int) -> "Recipe":
        """Return a recipe with this total of epochs, shared in proportion."""
        if self.finish is None:
            return replace(self, config=self.config.with_epochs(epochs))
        last = round(epochs * self.finish.epochs / (self.config.epochs + self.finish.epochs))
        last = min(last, epochs - 1)  # the last stage needs a network that has learnt
        finish = self.finish.with_epochs(last) if last else None
        return replace(self, config=self.config.with_epochs(epochs - last), finish=finish)


RECIPES = {
    "cnn": Recipe(
        TrainingConfig("cnn", (Phase(10, 3e-3, sharp=0.3),)),
        "Convolutional network",
        "Four convolutions with batch normalization. The default: the most accurate of the three.",
        (
            "It can’t refuse letters that are drawn exactly like a digit: O, l, S, Z.",
            "A 1 with a long foot or flag, and a 7 without a bar, may be taken for one another.",
        ),
        TrainingConfig(
            "cnn",
            (Phase(26, 2e-3, warm_up=0.1), Phase(16, 1e-3, GENTLE, warm_up=0.1, mix=MORE_MNIST)),
            teacher=TrainingConfig(
                "teacher",
                (Phase(12, 3e-3, sharp=0.3), Phase(8, 1e-3, MILD, warm_up=0.1, mix=MORE_MNIST)),
            ),
        ),
    ),
    "lenet5": Recipe(
        TrainingConfig("lenet5", (Phase(16, 3e-3, MILD),), weight_decay=0.01),
        "LeNet-5",
        "The classic of 1998: three convolutions, two subsampling layers, 62 thousand parameters.",
        (
            "It reads fewer drawings right than the convolutional network, and refuses fewer letters.",
            "Digits that are turned or slanted far trouble it more.",
        ),
    ),
    "vit": Recipe(
        TrainingConfig("vit", (Phase(6, 2e-3, MILD),), weight_decay=0.05),
        "Vision Transformer",
        "49 patches of the image that attend to each other, four layers deep.",
        (
            "It needs more examples than a convolutional network to learn as much.",
            "It reads fewer drawings right than the convolutional network, and refuses fewer letters.",
        ),
    ),
}
