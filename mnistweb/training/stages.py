"""The stages of a training run: each seed by itself, then its teachers, and a last stage of the first."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import torch
from torch.optim.swa_utils import AveragedModel

from mnistweb.training.data_mix import Copies, TrainingData, prepare
from mnistweb.training.lessons import Teachers
from mnistweb.training.loop import Run, TrainingConfig, train
from mnistweb.training.recipes import Recipe
from mnistweb.training.shapes import decide_by_shape

TEACHERS = 2
"""Teachers of a network, each with its own random numbers: the mean of their answers is better than one's."""
ENDINGS = 2
"""Runs of the last stage, each with its own random numbers; their weights are averaged."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Recipe, seeds, data and output folders of a training run, and the networks to train at once."""

    recipe: Recipe
    seeds: Sequence[int]
    data_dir: Path
    stroke_files: Sequence[Path]
    copies: Copies
    runs: Path
    output: Path
    device: torch.device
    jobs: int = 1

    def data(self) -> TrainingData:
        """Draw the training data, or load it from the folder of the runs."""
        return prepare(self.data_dir, self.stroke_files, self.runs / "banks", self.copies)

    def folder(self, seed: int) -> Path:
        """Return the folder of a seed's run."""
        return self.runs / f"{self.recipe.config.model}-{seed}"

    @property
    def finish_folder(self) -> Path:
        """The folder of the last stage; those of its runs are followed by their number."""
        return self.runs / f"{self.folder(self.seeds[0]).name}-finish"


def train_seeds(plan: Plan, data: TrainingData) -> list[Run]:
    """Train a network with each seed, up to the last stage."""
    _train_at_once(plan, _train_seed, plan.seeds)
    return [_train_seed(plan, seed, data) for seed in plan.seeds]


def finish(plan: Plan, config: TrainingConfig, first: Run, data: TrainingData) -> Run:
    """Continue the first network, which sorts the non-digits by shape, with teachers if it has any.

    Networks that go on from the same weights stay in one basin of the loss. The mean of their weights is then
    better on unusual data than each (M. Wortsman et al., "Model soups", 2022).
    """
    decided = decide_by_shape(data, first.network)
    taught = _train_teachers(plan, config.teacher, decided) if config.teacher else []
    apart = bool(taught) and plan.jobs > 1
    if apart:
        torch.set_num_threads(max(1, torch.get_num_threads() - 1))  # one is the teachers'
    teachers = Teachers([run.network for run in taught], apart)
    mean = AveragedModel(first.network, use_buffers=True)
    endings = []
    for number in range(ENDINGS):
        folder = plan.finish_folder.with_name(f"{plan.finish_folder.name}-{number}")
        own = replace(config, seed=plan.seeds[0] + number)
        endings.append(train(own, decided, plan.device, folder, first.network, teachers))
        mean.update_parameters(endings[-1].network)
    done = len(first.history)
    later = [{**row, "epoch": row["epoch"] + done} for row in endings[0].history]
    seconds = sum(run.seconds for run in (first, *taught, *endings))
    return Run(mean.module.eval(), first.history + later, seconds)


def _train_at_once(plan: Plan, job: Callable[[Plan, int], object], numbers: Sequence[int]) -> None:
    """Run the jobs in processes of their own; each leaves a checkpoint, from which its result is read."""
    if plan.jobs > 1 and len(numbers) > 1:
        threads = (max(1, torch.get_num_threads() // plan.jobs),)
        context = get_context("forkserver")
        with ProcessPoolExecutor(plan.jobs, context, torch.set_num_threads, threads) as pool:
            list(pool.map(job, repeat(plan), numbers))


def _train_seed(plan: Plan, seed: int, data: TrainingData | None = None) -> Run:
    return train(replace(plan.recipe.config, seed=seed), data or plan.data(), plan.device, plan.folder(seed))


def _train_teachers(plan: Plan, config: TrainingConfig, data: TrainingData) -> list[Run]:
    _train_at_once(plan, partial(_teach_from_checkpoint, config=config), range(TEACHERS))
    return [_teach(plan, number, config, data) for number in range(TEACHERS)]


def _teach_from_checkpoint(plan: Plan, number: int, config: TrainingConfig) -> None:
    data = plan.data()
    first = _train_seed(plan, plan.seeds[0], data)
    _teach(plan, number, config, decide_by_shape(data, first.network))


def _teach(plan: Plan, number: int, config: TrainingConfig, data: TrainingData) -> Run:
    config = replace(config, seed=plan.seeds[0] + number)
    folder = plan.runs / f"{plan.folder(plan.seeds[0]).name}-teacher-{number}"
    return train(config, data, plan.device, folder)
