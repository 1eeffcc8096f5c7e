"""The training pipeline: prepare data, train, calibrate, export, and evaluate once at the end."""

import dataclasses
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mnistweb.recognition.model_card import ModelCard, sha256_of
from mnistweb.recognition.report import FOLDER
from mnistweb.training import evaluation, export, robustness
from mnistweb.training.calibration import Calibration
from mnistweb.training.costs import Choice, as_figures, calibrate
from mnistweb.training.data import Images
from mnistweb.training.data_mix import TrainingData
from mnistweb.training.lessons import Phase, precision
from mnistweb.training.loop import Run, TrainingConfig, compute_logits
from mnistweb.training.prior import KEY, ShareOfNonDigits, shifted
from mnistweb.training.report import write_report
from mnistweb.training.stages import ENDINGS, TEACHERS, Plan, finish, train_seeds
from mnistweb.training.test_sets import TestSets, test_sets

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
        "name": "UNIPEN, train_r01_v07, isolated characters",
        "source": "International Unipen Foundation, 1999; Zenodo, doi 10.5281/zenodo.1195803",
        "licence": "CC BY 4.0 as published on Zenodo; the CD-ROM of 1999 allowed research alone",
        "used": "digits, letters and signs by 145 writers of seven donors: one donor and a twelfth of the "
        "other writers to choose by, as many to test",
    },
    {
        "name": "Hershey fonts",
        "source": "A. V. Hershey, 1967, through the Hershey-Fonts package",
        "licence": "MIT (package)",
        "used": "letters, symbols and printed digits as strokes",
    },
)


def train_and_export(plan: Plan) -> ModelCard:
    """Train with every seed, finish and export the first, and write the figures of all into its card.

    Always exports the first, whichever score it gets. Each seed leaves an export and a report in `runs`.
    Raises DataFileError.
    """
    config, last = plan.recipe.config, plan.recipe.finish
    data = plan.data()
    runs = train_seeds(plan, data)
    ending = finish(plan, last, runs[0], data) if last else None
    sets = test_sets(plan.data_dir)
    cards = [
        _export(plan, plan.folder(seed), seed, run, data, sets, config.phases)
        for seed, run in zip(plan.seeds, runs, strict=True)
    ]
    first, run = cards[0], runs[0]
    if last and ending:
        run, phases = ending, config.phases + last.phases
        first = _export(plan, plan.finish_folder, plan.seeds[0], run, data, sets, phases)
    further = _over_seeds(cards) | _robustness(first, run.network, plan.data_dir)
    first = replace(first, figures={**first.figures, **further})
    export.write_model(plan.output, export.to_torchscript(run.network), first)
    write_report(plan.output / FOLDER, first, export.as_served(run.network), sets)
    return first


def _export(
    plan: Plan,
    folder: Path,
    seed: int,
    run: Run,
    data: TrainingData,
    sets: TestSets,
    phases: Sequence[Phase],
) -> ModelCard:
    """Adapt to use, calibrate and measure once; write model, card and report to `folder` of the runs."""
    shares = ShareOfNonDigits(data.share_of_non_digits(phases[-1].mix))
    run.network = shifted(run.network, shares.shift)
    script, card = _card(plan, seed, run, data, sets, phases, shares)
    export.write_model(folder, script, card)
    write_report(folder / FOLDER, card, export.as_served(run.network), sets)
    return card


def _card(
    plan: Plan,
    seed: int,
    run: Run,
    data: TrainingData,
    sets: TestSets,
    phases: Sequence[Phase],
    shares: ShareOfNonDigits,
) -> tuple[bytes, ModelCard]:
    recipe, config = plan.recipe, plan.recipe.config
    last = recipe.finish if len(phases) > len(config.phases) else None
    calibration, choice = calibrate_on(run.network, data.validation, sets.pictures)
    script = export.to_torchscript(run.network)
    digest = sha256_of(script)
    figures = evaluation.measure(export.as_served(run.network), calibration, sets)
    figures["boundaries"] = as_figures(choice)
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
            **_phases(phases),
            **({"averaged": ENDINGS} | _teachers(last.teacher) if last else {}),
            "weight_decay": config.weight_decay,
            "average": config.average,
            KEY: dataclasses.asdict(shares),
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
        data=DATA if len(data.drawings) else (DATA[0], DATA[-1]),
        figures=figures,
        weaknesses=recipe.weaknesses,
    )
    return script, card


def _teachers(config: TrainingConfig | None) -> dict[str, Any]:
    """Describe the teachers of a last stage for a card."""
    if not config:
        return {}
    return {"teachers": {"count": TEACHERS, "epochs": config.epochs, **_phases(config.phases)}}


def _phases(phases: Sequence[Phase]) -> dict[str, Any]:
    """Describe the phases of a training for a card."""
    return {f"phase {n}": dataclasses.asdict(phase) for n, phase in enumerate(phases, 1)}


def calibrate_on(
    network: nn.Module, validation: Mapping[str, Images], pictures: Images | None
) -> tuple[Calibration, Choice]:
    """Fit temperature and boundaries to the validation sets, and to people's pictures if there are any."""
    sets = {**validation, **({"pictures": pictures} if pictures else {})}
    cpu = torch.device("cpu")
    logits = {name: compute_logits(network, images.images, cpu) for name, images in sets.items()}
    return calibrate(logits, sets)


def _robustness(card: ModelCard, network: nn.Module, data_dir: Path) -> dict[str, Any]:
    samples = robustness.held_out_digits(data_dir)
    if not samples:
        return {}
    calibration = Calibration(card.temperature, card.boundaries)
    rows = robustness.measure({card.name: (export.as_served(network), calibration)}, samples)[card.name]
    return {"robustness": [dataclasses.asdict(row) for row in rows]}


def _over_seeds(cards: Sequence[ModelCard]) -> dict[str, Any]:
    """Compute mean and deviation of the main figures over the seeds, before the last stage of the first."""
    if len(cards) < 2:
        return {}
    spread: dict[str, Any] = {"seeds": [card.seed for card in cards]}
    for part, key in (
        ("mnist_test", "accuracy"),
        ("drawings_test", "accuracy"),
        ("unipen_test", "accuracy"),
        ("held_out_symbols", "refused"),
    ):
        values = [card.figures[part][key] for card in cards if part in card.figures]
        if values:
            mean, deviation = statistics.mean(values), statistics.stdev(values)
            spread[f"{part}_{key}"] = {"mean": mean, "deviation": deviation, "values": values}
    return {"over_seeds": spread}
