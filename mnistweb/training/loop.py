"""The training loop: AdamW, one-cycle learning rate, moving average of the weights.

One cycle: L. Smith and N. Topin, "Super-convergence", 2018. The exported weights are an exponential moving
average of the trained ones (Polyak and Juditsky, 1992, with a decay).

Each epoch ends with a checkpoint. A run that continues from it arrives at the same weights, since an epoch's
random numbers depend only on the seed and the epoch.
"""

import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from mnistweb.training.data import Images
from mnistweb.training.lessons import (
    NO_TEACHERS,
    Batches,
    Phase,
    Teachers,
    autocast,
    lessons,
    loss_of,
    precision,
)
from mnistweb.training.networks import ARCHITECTURES, CLASSES
from mnistweb.training.pen_strokes import NOT_A_DIGIT
from mnistweb.training.saving import save

EVALUATION_BATCH = 500


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything besides the data that the result depends on. Checkpoints contain these fields."""

    model: str
    phases: tuple[Phase, ...]
    seed: int = 0
    weight_decay: float = 0.02
    average: float = 0.998  # decay of the moving average, per step
    teacher: "TrainingConfig | None" = None  # of the networks that this one learns from

    @property
    def epochs(self) -> int:
        """Passes over MNIST in all phases."""
        return sum(phase.epochs for phase in self.phases)

    def with_epochs(self, epochs: int) -> "TrainingConfig":
        """Return a configuration with this total of epochs, shared among the phases in proportion."""
        ends = [
            round(epochs * sum(p.epochs for p in self.phases[: n + 1]) / self.epochs)
            for n in range(len(self.phases))
        ]
        starts = [0, *ends]
        shared = zip(self.phases, starts, ends, strict=False)
        phases = [dataclasses.replace(phase, epochs=end - start) for phase, start, end in shared]
        teacher = self.teacher
        if teacher:
            teacher = teacher.with_epochs(max(1, round(epochs * teacher.epochs / self.epochs)))
        phases = [phase for phase in phases if phase.epochs]
        return dataclasses.replace(self, phases=tuple(phases), teacher=teacher)


@dataclass(frozen=True, slots=True)
class Learner:
    """The state that changes while a network learns."""

    network: nn.Module
    average: AveragedModel
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler


@dataclass(slots=True)
class Run:
    """The averaged network, and one row of figures per epoch."""

    network: nn.Module
    history: list[dict[str, float]]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Course:
    """Parts of a run that all of its epochs share."""

    config: TrainingConfig
    data: Batches
    device: torch.device
    folder: Path
    teachers: Teachers
    run: Run

    def give_epoch(self, learner: Learner, phase: Phase, epoch: int) -> None:
        """Train for an epoch, counted from 0; measure, and write a checkpoint."""
        started = time.monotonic()
        seed = self.config.seed * 1_000 + epoch
        title = f"epoch {epoch + 1}/{self.config.epochs}"
        loss = train_epoch(learner, self.data, phase, seed, self.device, title, self.teachers)
        figures = {
            name: measure_accuracy(learner.average.module, images, self.device)
            for name, images in self.data.validation.items()
        }
        self.run.seconds += time.monotonic() - started
        self.run.history.append({"epoch": epoch + 1, "loss": loss, **figures})
        _save(self.folder / "checkpoint.pt", learner, self.config, self.run)
        words = ", ".join(f"{name} {value:.2%}" for name, value in figures.items())
        tqdm.write(f"{self.config.model} epoch {epoch + 1}: loss {loss:.4f}, {words}")


def train(
    config: TrainingConfig,
    data: Batches,
    device: torch.device,
    folder: Path,
    start: nn.Module | None = None,
    teachers: Teachers = NO_TEACHERS,
) -> Run:
    """Train from scratch or from `start`'s weights, or continue from the checkpoint in `folder`.

    With teachers, the network learns their answers besides the labels.

    Raises ValueError for a checkpoint of another configuration.
    """
    torch.manual_seed(config.seed)
    network = ARCHITECTURES[config.model]().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if start is not None:
        network.load_state_dict(start.state_dict())
    moving = get_ema_multi_avg_fn(config.average)  # type: ignore[no-untyped-call]
    average = AveragedModel(network, multi_avg_fn=moving, use_buffers=True)
    state = _load(folder / "checkpoint.pt", config, device)
    run = Run(average.module, state.get("history", []), state.get("seconds", 0.0))
    course = _Course(config, data, device, folder, teachers, run)
    if state:
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
    first = 0
    for phase in config.phases:
        optimiser = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            phase.learning_rate,
            total_steps=phase.epochs * data.steps(phase.mix),
            pct_start=phase.warm_up,
        )
        learner = Learner(network, average, optimiser, schedule)
        if first < len(run.history) < first + phase.epochs:
            optimiser.load_state_dict(state["optimiser"])
            schedule.load_state_dict(state["schedule"])
        for epoch in range(max(first, len(run.history)), first + phase.epochs):
            course.give_epoch(learner, phase, epoch)
        first += phase.epochs
    run.network = average.module.eval().cpu()
    return run


def train_epoch(
    learner: Learner,
    data: Batches,
    phase: Phase,
    seed: int,
    device: torch.device,
    title: str,
    teachers: Teachers = NO_TEACHERS,
) -> float:
    """Train for one pass over MNIST; return the mean loss."""
    torch.manual_seed(seed)  # for dropout
    scaler = torch.amp.GradScaler(device.type, enabled=precision(device) is torch.float16)
    learner.network.train()
    total = right = seen = 0.0
    bar = tqdm(total=data.steps(phase.mix), desc=title, unit="batch", leave=False)
    for images, labels, answers in lessons(data, phase, seed, device, teachers):
        with autocast(device):
            logits = learner.network(images)
            loss = loss_of(logits.float(), labels, answers)
        learner.optimiser.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        scaler.step(learner.optimiser)
        scaler.update()
        learner.schedule.step()
        learner.average.update_parameters(learner.network)
        total += loss.item() * len(labels)
        right += (logits.argmax(1) == labels).sum().item()
        seen += len(labels)
        rate = seen / max(bar.format_dict["elapsed"], 1e-9)
        bar.set_postfix_str(
            f"loss {total / seen:.4f}, right {right / seen:.2%}, {rate:.0f} images/s", refresh=False
        )
        bar.update()
    bar.close()
    return total / seen


@torch.no_grad()
def compute_logits(network: nn.Module, images: Tensor, device: torch.device) -> Tensor:
    """Compute logits float32 [n, 11] for uint8 [n, 28, 28] images."""
    if not len(images):  # an empty batch keeps its one channel when its pixels are unshuffled
        return torch.zeros(0, CLASSES)
    network.eval()
    batches = [
        network((batch.unsqueeze(1).float() / 255).to(device)).float().cpu()
        for batch in torch.split(images, EVALUATION_BATCH)
    ]
    return torch.cat(batches)


def measure_accuracy(network: nn.Module, images: Images, device: torch.device) -> float:
    """Return the share of right answers: digits among the ten classes, non-digits by the eleventh."""
    logits = compute_logits(network, images.images, device)
    digits = images.labels != NOT_A_DIGIT
    answers = torch.where(digits, logits[:, :NOT_A_DIGIT].argmax(1), logits.argmax(1))
    return (answers == images.labels).float().mean().item()


def _load(path: Path, config: TrainingConfig, device: torch.device) -> dict[str, Any]:
    if not path.is_file():
        return {}
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    if state["config"] != _fingerprint(config):
        raise ValueError(f"{path} has another configuration; remove it or choose another folder")
    tqdm.write(f"continuing after epoch {len(state['history'])} of {path}")
    return state


def _save(path: Path, learner: Learner, config: TrainingConfig, run: Run) -> None:
    state = {
        name: getattr(learner, name).state_dict() for name in ("network", "average", "optimiser", "schedule")
    }
    state |= {"config": _fingerprint(config), "history": run.history, "seconds": run.seconds}
    save(state, path)


def _fingerprint(config: TrainingConfig) -> str:
    return json.dumps(dataclasses.asdict(config), sort_keys=True)
