"""The stages of a training run: each seed by itself, then a last phase of the first."""

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
from mnistweb.training.loop import Run, TrainingConfig, train
from mnistweb.training.recipes import Recipe
from mnistweb.training.shapes import decide_by_shape

FINISH_RUNS = 2
"""Runs of the last phase, each with its own random numbers; their weights are averaged."""


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
        """The folder of the last phase's runs, followed by their number."""
        return self.runs / f"{self.folder(self.seeds[0]).name}-finish"


def train_seeds(plan: Plan, data: TrainingData) -> list[Run]:
    """Train a network with each seed, up to the last phase."""
    _train_at_once(plan, _train_seed, plan.seeds)
    return [_train_seed(plan, seed, data) for seed in plan.seeds]


def finish(plan: Plan, config: TrainingConfig, first: Run, data: TrainingData) -> Run:
    """Continue the first network, which sorts the non-digits by shape; average the weights of several runs.

    Networks fine-tuned from the same weights are in one basin of the loss. Their average is better on unusual
    data than each of them.

    M. Wortsman et al. 2022, "Robust fine-tuning of zero-shot models" and "Model soups".
    """
    _train_at_once(plan, partial(_finish_from_checkpoint, config=config), range(FINISH_RUNS))
    decided = decide_by_shape(data, first.network)
    endings = [_finish(plan, number, config, first, decided) for number in range(FINISH_RUNS)]
    average = AveragedModel(endings[0].network, use_buffers=True)
    for run in endings:
        average.update_parameters(run.network)
    done = len(first.history)
    later = [{**row, "epoch": row["epoch"] + done} for row in endings[0].history]
    seconds = sum(run.seconds for run in (first, *endings))
    return Run(average.module.eval(), first.history + later, seconds)


def _train_at_once(plan: Plan, job: Callable[[Plan, int], object], numbers: Sequence[int]) -> None:
    """Run the jobs in processes of their own; each leaves a checkpoint, from which its result is read."""
    if plan.jobs > 1 and len(numbers) > 1:
        threads = (max(1, torch.get_num_threads() // plan.jobs),)
        context = get_context("forkserver")
        with ProcessPoolExecutor(plan.jobs, context, torch.set_num_threads, threads) as pool:
            list(pool.map(job, repeat(plan), numbers))


def _train_seed(plan: Plan, seed: int, data: TrainingData | None = None) -> Run:
    return train(replace(plan.recipe.config, seed=seed), data or plan.data(), plan.device, plan.folder(seed))


def _finish_from_checkpoint(plan: Plan, number: int, config: TrainingConfig) -> None:
    data = plan.data()
    first = _train_seed(plan, plan.seeds[0], data)
    _finish(plan, number, config, first, decide_by_shape(data, first.network))


def _finish(plan: Plan, number: int, config: TrainingConfig, first: Run, data: TrainingData) -> Run:
    config = replace(config, seed=plan.seeds[0] + number)
    folder = plan.finish_folder.with_name(f"{plan.finish_folder.name}-{number}")
    return train(config, data, plan.device, folder, first.network)
