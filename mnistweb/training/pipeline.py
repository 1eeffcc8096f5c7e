"""From data to an exported model: prepare, train, calibrate, export, and measure once at the end."""

import dataclasses
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mnistweb.recognition.card import ModelCard, sha256_of
from mnistweb.training import evaluation, export, robustness
from mnistweb.training.calibration import Calibration, calibrate
from mnistweb.training.curriculum import Curriculum
from mnistweb.training.loop import Run, TrainingConfig, logits_of, precision, train
from mnistweb.training.recipes import Recipe
from mnistweb.training.report import write_metrics, write_report

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


def train_and_export(
    recipe: Recipe,
    config: TrainingConfig,
    seeds: int,
    curriculum: Curriculum,
    data_dir: Path,
    runs: Path,
    output: Path,
    device: torch.device,
) -> ModelCard:
    """Train with `seeds` seeds in a row, export the first, and write the figures of all into its card.

    The first is exported whatever the test sets say of it. Each leaves its own export, and a report with
    pictures, in `runs`. Raises DataFileError for data that can't be used.
    """
    sets = None
    cards = []
    networks = []
    for seed in range(config.seed, config.seed + seeds):
        this = dataclasses.replace(config, seed=seed)
        folder = runs / f"{config.model}-{seed}"
        run = train(this, curriculum, device, folder)
        sets = sets or evaluation.test_sets(data_dir)
        script, card = _card(recipe, this, run, curriculum, sets, device)
        export.write_model(folder, script, card)
        write_report(folder / "report", card, export.Served(run.network).eval(), sets)
        write_metrics(folder / "report" / f"{card.name}.json", card, card.figures)
        cards.append(card)
        networks.append(run.network)
    further = _over_seeds(cards) | _robustness(cards[0], networks[0], data_dir)
    first = dataclasses.replace(cards[0], figures={**cards[0].figures, **further})
    export.write_model(
        output, (runs / f"{config.model}-{config.seed}" / f"{config.model}.pt").read_bytes(), first
    )
    return first


def _card(
    recipe: Recipe,
    config: TrainingConfig,
    run: Run,
    curriculum: Curriculum,
    sets: evaluation.TestSets,
    device: torch.device,
) -> tuple[bytes, ModelCard]:
    calibration = calibrate_on(run, curriculum)
    script = export.to_torchscript(run.network)
    digest = sha256_of(script)
    served = export.Served(run.network).eval()
    figures = evaluation.measure(served, calibration, sets)
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
        threshold=calibration.threshold,
        seed=config.seed,
        training={
            "epochs": config.epochs,
            **{f"phase {n}": dataclasses.asdict(phase) for n, phase in enumerate(config.phases, 1)},
            "weight_decay": config.weight_decay,
            "average": config.average,
            "mix": dataclasses.asdict(curriculum.mix),
            "images": {
                "mnist": len(curriculum.mnist),
                "drawings": len(curriculum.drawings),
                "not_digits": len(curriculum.not_digits),
            },
            "seconds": round(run.seconds),
            "precision": str(precision(device)).removeprefix("torch."),
            "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
            "torch": torch.__version__,
        },
        data=DATA if len(curriculum.drawings) else (DATA[0], DATA[3]),
        figures=figures,
        weaknesses=recipe.weaknesses,
    )
    return script, card


def calibrate_on(run: Run, curriculum: Curriculum) -> Calibration:
    """Temperature and threshold from the validation sets."""
    sets = curriculum.validation
    logits = {
        name: logits_of(run.network, images.images, torch.device("cpu")) for name, images in sets.items()
    }
    return calibrate(logits, {name: images.labels for name, images in sets.items()})


def _robustness(card: ModelCard, network: nn.Module, data_dir: Path) -> dict[str, Any]:
    samples = robustness.held_out(data_dir)
    if not samples:
        return {}
    calibration = Calibration(card.temperature, card.threshold)
    rows = robustness.table({card.name: (export.Served(network).eval(), calibration)}, samples)[card.name]
    return {"robustness": [dataclasses.asdict(row) for row in rows]}


def _over_seeds(cards: Sequence[ModelCard]) -> dict[str, Any]:
    """Mean and deviation of the main figures over the seeds."""
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
