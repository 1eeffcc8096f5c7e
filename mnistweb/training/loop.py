"""The training loop: AdamW, one cycle of the learning rate, an average of the weights over time.

One cycle: L. Smith and N. Topin, "Super-convergence", 2018. The exported weights are an exponential moving
average of the trained ones (Polyak and Juditsky, 1992, with a decay). Every epoch ends with a checkpoint;
a run that is started again goes on from it and arrives at the same weights, as each epoch's random numbers
depend on the seed and the epoch alone.
"""

import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from mnistweb.training.augmentation import Distortion, distort
from mnistweb.training.curriculum import Curriculum
from mnistweb.training.data import Images
from mnistweb.training.networks import NETWORKS
from mnistweb.training.strokes import NOT_A_DIGIT

EVALUATION_BATCH = 500


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything, besides the data, that the result depends on."""

    model: str = "cnn"
    epochs: int = 12
    seed: int = 0
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    warm_up: float = 0.25  # share of the steps in which the learning rate rises
    average: float = 0.998  # decay of the moving average, per step
    distortion: Distortion = dataclasses.field(default_factory=Distortion)


@dataclass(slots=True)
class Run:
    """A finished run: the averaged network and one row of figures per epoch."""

    network: nn.Module
    history: list[dict[str, float]]
    seconds: float


def train(config: TrainingConfig, curriculum: Curriculum, device: torch.device, folder: Path) -> Run:
    """Train from scratch, or from `folder`'s checkpoint of the same configuration."""
    torch.manual_seed(config.seed)
    network = NETWORKS[config.model]().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    moving = get_ema_multi_avg_fn(config.average)  # type: ignore[no-untyped-call]
    average = AveragedModel(network, multi_avg_fn=moving, use_buffers=True)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        config.learning_rate,
        total_steps=config.epochs * curriculum.steps,
        pct_start=config.warm_up,
    )
    parts = {"network": network, "average": average, "optimiser": optimiser, "schedule": schedule}
    checkpoint = folder / "checkpoint.pt"
    history, seconds = _resume(checkpoint, parts, config, device)
    for epoch in range(len(history), config.epochs):
        started = time.monotonic()
        loss = _epoch(network, average, optimiser, schedule, curriculum, config, epoch, device)
        figures = {
            name: share_right(average.module, images, device)
            for name, images in curriculum.validation.items()
        }
        seconds += time.monotonic() - started
        history.append({"epoch": epoch + 1, "loss": loss, **figures})
        _save(checkpoint, parts, config, history, seconds)
        tqdm.write(f"{config.model} epoch {epoch + 1}: loss {loss:.4f}, " + _percentages(figures))
    return Run(average.module.eval().cpu(), history, seconds)


def _epoch(
    network: nn.Module,
    average: AveragedModel,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    curriculum: Curriculum,
    config: TrainingConfig,
    epoch: int,
    device: torch.device,
) -> float:
    """One pass; returns the mean loss."""
    # Two generators, so that the order of the data does not depend on the device.
    torch.manual_seed(config.seed * 1_000 + epoch)
    order = torch.Generator().manual_seed(config.seed * 1_000 + epoch)
    noise = torch.Generator(device).manual_seed(config.seed * 1_000 + epoch)
    scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
    network.train()
    total = right = seen = 0.0
    bar = tqdm(total=curriculum.steps, desc=f"epoch {epoch + 1}/{config.epochs}", unit="batch", leave=False)
    for images, labels in curriculum.batches(order):
        images, labels = images.to(device), labels.to(device)
        images = distort(images, config.distortion, noise).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
            logits = network(images)
            loss = functional.cross_entropy(logits, labels)
        optimiser.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        scaler.step(optimiser)
        scaler.update()
        schedule.step()
        average.update_parameters(network)
        total += loss.item() * len(labels)
        right += (logits.argmax(1) == labels).sum().item()
        seen += len(labels)
        bar.update()
        rate = seen / max(bar.format_dict["elapsed"], 1e-9)
        bar.set_postfix_str(
            f"loss {total / seen:.4f}, right {right / seen:.2%}, {rate:.0f} images/s", refresh=False
        )
    bar.close()
    return total / seen


@torch.no_grad()
def logits_of(network: nn.Module, images: Tensor, device: torch.device) -> Tensor:
    """Logits float32 [n, 11] for uint8 [n, 28, 28] images."""
    network.eval()
    batches = [
        network((batch.unsqueeze(1).float() / 255).to(device)).float().cpu()
        for batch in torch.split(images, EVALUATION_BATCH)
    ]
    return torch.cat(batches)


def share_right(network: nn.Module, images: Images, device: torch.device) -> float:
    """The share answered right: digits among the ten classes, non-digits by the eleventh."""
    logits = logits_of(network, images.images, device)
    digits = images.labels != NOT_A_DIGIT
    answers = torch.where(digits, logits[:, :NOT_A_DIGIT].argmax(1), logits.argmax(1))
    return (answers == images.labels).float().mean().item()


def _resume(
    path: Path, parts: dict[str, Any], config: TrainingConfig, device: torch.device
) -> tuple[list[dict[str, float]], float]:
    if not path.is_file():
        return [], 0.0
    state = torch.load(path, map_location=device, weights_only=True)
    if state["config"] != _fingerprint(config):
        raise ValueError(f"{path} is of a run with another configuration; remove it or choose another folder")
    for name, part in parts.items():
        part.load_state_dict(state[name])
    tqdm.write(f"going on after epoch {len(state['history'])} of {path}")
    return state["history"], state["seconds"]


def _save(
    path: Path, parts: dict[str, Any], config: TrainingConfig, history: list[dict[str, float]], seconds: float
) -> None:
    state = {name: part.state_dict() for name, part in parts.items()}
    state |= {"config": _fingerprint(config), "history": history, "seconds": seconds}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    torch.save(state, unfinished)
    unfinished.replace(path)


def _fingerprint(config: TrainingConfig) -> str:
    return json.dumps(dataclasses.asdict(config), sort_keys=True)


def _percentages(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2%}" for name, value in figures.items())
