"""Data augmentation: random distortions of whole batches, on the training device.

Affine and elastic: P. Simard, D. Steinkraus and J. Platt, "Best practices for convolutional neural networks
applied to visual document analysis", 2003.
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Distortion:
    """Upper limits of the distortion of an image; zero switches a kind off."""

    rotation: float = 10.0  # degrees
    slant: float = 0.18
    stretch: float = 0.14  # each axis, as a factor
    shift: float = 1.5  # pixels
    elastic: float = 0.8  # pixels, standard deviation of a smooth displacement
    ink: float = 0.4  # strength of thickening or thinning


def distort(images: Tensor, distortion: Distortion, generator: Generator) -> Tensor:
    """Distort float32 [n, 1, 28, 28] in 0..1, each image differently; shape and range stay."""
    n, device = len(images), images.device

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=device) * 2 - 1

    angle = uniform(n) * math.radians(distortion.rotation)
    cos, sin = angle.cos(), angle.sin()
    slant = uniform(n) * distortion.slant
    stretch = (uniform(2, n) * distortion.stretch).exp()
    shift = uniform(2, n) * distortion.shift * 2 / images.shape[-1]
    theta = torch.stack(
        [
            torch.stack([stretch[0] * cos, stretch[0] * (slant * cos - sin), shift[0]], dim=1),
            torch.stack([stretch[1] * sin, stretch[1] * (slant * sin + cos), shift[1]], dim=1),
        ],
        dim=1,
    )  # [n, 2, 3]
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    coarse = torch.randn((n, 2, 5, 5), generator=generator, device=device)
    smooth = functional.interpolate(coarse, size=images.shape[-2:], mode="bicubic", align_corners=True)
    grid = grid + smooth.permute(0, 2, 3, 1) * (distortion.elastic * 2 / images.shape[-1])
    images = functional.grid_sample(images, grid, align_corners=False)
    return _change_ink(images, uniform(n, 1, 1, 1) * distortion.ink, uniform(n, 1, 1, 1).abs())


def _change_ink(images: Tensor, amount: Tensor, share: Tensor) -> Tensor:
    """Thicken (amount > 0) or thin a third of the images. The strongest ink stays 1, as in preprocessing."""
    blurred = functional.avg_pool2d(images, 3, stride=1, padding=1)
    changed = (images + 2.5 * amount * blurred).clamp(0, 1)
    changed = changed / changed.amax(dim=(2, 3), keepdim=True).clamp(min=0.05)
    return torch.where(share < 1 / 3, changed, images)
