"""The training pipeline: prepare data, train, calibrate, export, and evaluate once at the end."""

import dataclasses
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from mnistweb.recognition.model_card import ModelCard, sha256_of
from mnistweb.recognition.report import FOLDER
from mnistweb.training import evaluation, export, robustness
from mnistweb.training.calibration import Calibration, calibrate
from mnistweb.training.data_mix import Copies, TrainingData, prepare
from mnistweb.training.loop import Phase, Run, compute_logits, precision, train
from mnistweb.training.pen_strokes import USUAL_VARIATION, WIDE_VARIATION, Variation
from mnistweb.training.recipes import Recipe
from mnistweb.training.report import write_report

MAX_TEACHERS = 3
"""First networks of the run that teach the exported one in its last phase; one seed teaches itself."""

FINISH_RUNS = 2
"""Runs of the last phase, each with its own random numbers; their weights are averaged."""

DATA = (
    {
        "name": "MNIST",
        "source": "Y. LeCun, C. Cortes, C. Burges; http://yann.lecun.com/exdb/mnist/",
        "licence": "CC BY-SA 3.0",
        "used": "60,000 training images (5,000 of them to choose by), 10,000 test images once at the end",
    },
    {
        "name": "Pen-Based Recognition of Handwritten Digits, original form",
        "source": "E. Alpaydin, F. Alimoglu, 1998, UCI Machine Learning Repository",
        "licence": "CC BY 4.0",
        "used": "digits as pen strokes by 30 writers: 21 to train, 3 to choose by, 6 to test",
    },
    {
        "name": "Omniglot, five alphabets of the small background set 1",
        "source": "B. Lake, R. Salakhutdinov, J. Tenenbaum, 2015",
        "licence": "MIT",
        "used": "symbols: Korean, Latin and Early Aramaic to train on, Balinese and Greek to test",
    },
    {
        "name": "Hershey fonts",
        "source": "A. V. Hershey, 1967, through the Hershey-Fonts package",
        "licence": "MIT (package)",
        "used": "letters and symbols as strokes",
    },
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Recipe, seeds, data and output folders of a training run."""

    recipe: Recipe
    seeds: Sequence[int]
    data_dir: Path
    stroke_files: Sequence[Path]
    copies: Copies
    runs: Path
    output: Path
    device: torch.device


def train_and_export(plan: Plan) -> ModelCard:
    """Train with every seed, finish and export the first, and write the figures of all into its card.

    Always exports the first, whichever score it gets. Each seed leaves an export and a report in `runs`.
    Raises DataFileError.
    """
    config, finish = plan.recipe.config, plan.recipe.finish
    data = _prepare(plan, USUAL_VARIATION)
    runs = [
        train(replace(config, seed=seed), data, plan.device, plan.runs / f"{config.model}-{seed}")
        for seed in plan.seeds
    ]
    sets = evaluation.test_sets(plan.data_dir)
    cards = [
        _export(plan, f"{config.model}-{seed}", seed, run, data, sets, config.phases)
        for seed, run in zip(plan.seeds, runs, strict=True)
    ]
    first, run, seed = cards[0], runs[0], plan.seeds[0]
    if finish:
        data = _prepare(plan, WIDE_VARIATION)
        folder = f"{config.model}-{seed}-finish"
        teachers = [each.network for each in runs[:MAX_TEACHERS]]
        endings = [
            train(
                replace(finish, seed=seed + number),
                data,
                plan.device,
                plan.runs / f"{folder}-{number}",
                teachers,
                run.network,
            )
            for number in range(FINISH_RUNS)
        ]
        run = _average_weights(run, endings)
        first = _export(plan, folder, seed, run, data, sets, config.phases + finish.phases)
    further = _over_seeds(cards) | _robustness(first, run.network, plan.data_dir)
    first = replace(first, figures={**first.figures, **further})
    export.write_model(plan.output, export.to_torchscript(run.network), first)
    write_report(plan.output / FOLDER, first, export.as_served(run.network), sets)
    return first


def _prepare(plan: Plan, variation: Variation) -> TrainingData:
    return prepare(plan.data_dir, plan.stroke_files, plan.runs / "banks", plan.copies, variation)


def _export(
    plan: Plan,
    folder: str,
    seed: int,
    run: Run,
    data: TrainingData,
    sets: evaluation.TestSets,
    phases: Sequence[Phase],
) -> ModelCard:
    """Calibrate and measure once; write model, card and report to `folder` of the runs."""
    script, card = _card(plan, seed, run, data, sets, phases)
    export.write_model(plan.runs / folder, script, card)
    write_report(plan.runs / folder / FOLDER, card, export.as_served(run.network), sets)
    return card


def _average_weights(first: Run, endings: Sequence[Run]) -> Run:
    """Average the weights of all runs; keep the history of the first run and the first ending.

    Networks fine-tuned from the same weights are in one basin of the loss. Their average is better on unusual
    data than each of them.

    M. Wortsman et al. 2022, "Robust fine-tuning of zero-shot models" and "Model soups".
    """
    average = AveragedModel(first.network, use_buffers=True)
    for run in (first, *endings):
        average.update_parameters(run.network)
    done = len(first.history)
    later = [{**row, "epoch": row["epoch"] + done} for row in endings[0].history]
    seconds = first.seconds + sum(ending.seconds for ending in endings)
    return Run(average.module.eval(), first.history + later, seconds)


def _card(
    plan: Plan,
    seed: int,
    run: Run,
    data: TrainingData,
    sets: evaluation.TestSets,
    phases: Sequence[Phase],
) -> tuple[bytes, ModelCard]:
    recipe, config = plan.recipe, plan.recipe.config
    finish = recipe.finish if len(phases) > len(config.phases) else None
    calibration = calibrate_on(run, data)
    script = export.to_torchscript(run.network)
    digest = sha256_of(script)
    figures = evaluation.measure(export.as_served(run.network), calibration, sets)
    figures["history"] = run.history
    card = ModelCard(
        name=config.model,
        version=digest[:12],
        sha256=digest,
        size=len(script),
        title=recipe.title,
        summary=recipe.summary,
        parameters=sum(parameter.numel() for parameter in run.network.parameters()),
        temperature=calibration.temperature,
        boundaries=calibration.boundaries,
        seed=seed,
        training={
            "epochs": len(run.history),
            **{f"phase {n}": dataclasses.asdict(phase) for n, phase in enumerate(phases, 1)},
            "distilled": finish.distilled if finish else 0,
            "averaged": FINISH_RUNS + 1 if finish else 1,
            "weight_decay": config.weight_decay,
            "average": config.average,
            "mix": dataclasses.asdict(data.mix),
            "images": {
                "mnist": len(data.mnist),
                "drawings": len(data.drawings),
                "not_digits": len(data.not_digits),
            },
            "seconds": round(run.seconds),
            "precision": str(precision(plan.device)).removeprefix("torch."),
            "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
            "torch": torch.__version__,
        },
        data=DATA if len(data.drawings) else (DATA[0], DATA[3]),
        figures=figures,
        weaknesses=recipe.weaknesses,
    )
    return script, card


def calibrate_on(run: Run, data: TrainingData) -> Calibration:
    """Fit temperature and boundaries to the validation sets."""
    sets = data.validation
    logits = {
        name: compute_logits(run.network, images.images, torch.device("cpu")) for name, images in sets.items()
    }
    return calibrate(logits, {name: images.labels for name, images in sets.items()})


def _robustness(card: ModelCard, network: nn.Module, data_dir: Path) -> dict[str, Any]:
    samples = robustness.held_out_digits(data_dir)
    if not samples:
        return {}
    calibration = Calibration(card.temperature, card.boundaries)
    rows = robustness.measure({card.name: (export.as_served(network), calibration)}, samples)[card.name]
    return {"robustness": [dataclasses.asdict(row) for row in rows]}


def _over_seeds(cards: Sequence[ModelCard]) -> dict[str, Any]:
    """Compute mean and deviation of the main figures over the seeds, before the last phase of the first."""
    if len(cards) < 2:
        return {}
    spread: dict[str, Any] = {"seeds": [card.seed for card in cards]}
    for part, key in (
        ("mnist_test", "accuracy"),
        ("drawings_test", "accuracy"),
        ("held_out_symbols", "refused"),
    ):
        values = [card.figures[part][key] for card in cards if part in card.figures]
        if values:
            mean, deviation = statistics.mean(values), statistics.stdev(values)
            spread[f"{part}_{key}"] = {"mean": mean, "deviation": deviation, "values": values}
    return {"over_seeds": spread}
