"""The network architectures. Each takes float32 [n, 1, 28, 28] in 0..1 and returns logits [n, 11].

The eleven classes are the ten digits and "not a digit".
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

CLASSES = 11


def _convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Cnn(nn.Module):
    """Four 3x3 convolutions with batch normalization, two at 14x14 and two at 7x7, and a hidden layer.

    The image comes in as four images of 14x14: its rows and columns of even and of odd number. So no pixel is
    lost, and the first convolution takes a quarter of the operations.

    W. Shi et al., "Real-time single image and video super-resolution", 2016 (the pixel shuffle, reversed).
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.PixelUnshuffle(2),  # [n, 4, 14, 14]
            _convolution(4, 32),
            _convolution(32, 48),  # [n, 48, 14, 14]
            nn.MaxPool2d(2),
            _convolution(48, 96),  # [n, 96, 7, 7]
            _convolution(96, 128),
            nn.MaxPool2d(2),  # [n, 128, 3, 3]
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(128 * 9, 128, bias=False),
            nn.BatchNorm1d(128),
            nn.ReLU(inplace=True),
            nn.Dropout(0.2),
            nn.Linear(128, CLASSES),
        )

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(images))
        return logits


class Teacher(nn.Module):
    """Six 3x3 convolutions, the first two at 28x28: too slow to serve, but another network learns from it."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _convolution(1, 32),
            _convolution(32, 32),  # [n, 32, 28, 28]
            nn.MaxPool2d(2),
            _convolution(32, 64),
            _convolution(64, 64),  # [n, 64, 14, 14]
            nn.MaxPool2d(2),
            _convolution(64, 128),
            _convolution(128, 128),  # [n, 128, 7, 7]
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(128 * 9, CLASSES))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(images))
        return logits


class LeNet5(nn.Module):
    """LeNet-5, with four departures from the paper.

    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
    1998, figure 2: C1 6@28x28, S2 6@14x14, C3 16@10x10, S4 16@5x5, C5 120, F6 84, output.

    The image is padded by 2 instead of arriving as 32x32. Every map of C3 sees all six of S2; the paper's
    table I leaves some out. The subsampling layers average without a coefficient and a bias. The output is
    linear, for a softmax over eleven classes, instead of ten radial basis functions.

    The scaled tanh, 1.7159 tanh(2x/3), is the paper's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2),
            ScaledTanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5),
            ScaledTanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(16, 120, 5),
            ScaledTanh(),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(120, 84), ScaledTanh(), nn.Linear(84, CLASSES)
        )

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(images))
        return logits


class ScaledTanh(nn.Module):
    """1.7159 tanh(2x/3): LeCun et al. 1998, appendix A."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(x * (2 / 3))


class Attention(nn.Module):
    """Multi-head self-attention over tokens [n, tokens, width]."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def weights(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Compute attention weights [n, heads, tokens, tokens], which sum to 1 over the last, and values."""
        n, count, width = tokens.shape
        qkv = self.qkv(tokens).reshape(n, count, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = qkv[0], qkv[1], qkv[2]
        return (query @ key.transpose(-2, -1) * self.scale).softmax(dim=-1), value

    def forward(self, tokens: Tensor) -> Tensor:
        weights, value = self.weights(tokens)
        mixed: Tensor = self.out((weights @ value).transpose(1, 2).flatten(2))
        return mixed


class Block(nn.Module):
    """A pre-norm transformer encoder block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attention(self.norm1(tokens))
        updated: Tensor = tokens + self.mlp(self.norm2(tokens))
        return updated


class Vit(nn.Module):
    """A small Vision Transformer (Dosovitskiy et al. 2021) with a convolutional stem.

    A convolutional stem instead of a plain patch projection makes small transformers learn faster and more
    steadily.

    Xiao et al., "Early convolutions help transformers see better", 2021.
    """

    def __init__(self, width: int = 64, depth: int = 4, heads: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _convolution(1, 24, kernel=5, stride=2),  # [n, 24, 14, 14]
            nn.Conv2d(24, width, 3, stride=2, padding=1),  # [n, width, 7, 7]
        )
        self.position = nn.Parameter(torch.zeros(1, 50, width))
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, CLASSES)
        nn.init.trunc_normal_(self.position, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.stem(images).flatten(2).transpose(1, 2)  # [n, 49, width]
        tokens = torch.cat([self.class_token.expand(len(patches), -1, -1), patches], dim=1)
        tokens = self.blocks(tokens + self.position)
        logits: Tensor = self.classifier(self.norm(tokens[:, 0]))
        return logits


NETWORKS: dict[str, Callable[[], nn.Module]] = {"cnn": Cnn, "lenet5": LeNet5, "vit": Vit}
"""The networks that a site serves."""

ARCHITECTURES = {**NETWORKS, "teacher": Teacher}
"""All networks that can be trained."""
