"""Fine-tuning of an exported model on the usual data and on reviewed drawings of a site."""

import dataclasses
import hashlib
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from mnistweb.recognition.model_card import ModelCard, sha256_of
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.report import Report
from mnistweb.training import evaluation, export
from mnistweb.training.calibration import Calibration
from mnistweb.training.costs import as_figures
from mnistweb.training.data import Images, has_mnist, stroke_files
from mnistweb.training.data_mix import BatchMix, Copies, TrainingData, prepare
from mnistweb.training.lessons import Phase, precision
from mnistweb.training.loop import Run, TrainingConfig, train
from mnistweb.training.mean_weights import keep_what_is_known
from mnistweb.training.networks import NETWORKS
from mnistweb.training.pen_strokes import NOT_A_DIGIT, DataFileError
from mnistweb.training.pipeline import calibrate_on
from mnistweb.training.prior import KEY, shift_of, shifted
from mnistweb.training.readings import digit_figures, other_figures, read
from mnistweb.training.recipes import GENTLE, RECIPES
from mnistweb.training.report import make_report
from mnistweb.training.reviewed import Drawn, Split, as_images, redraw_all, split_drawings
from mnistweb.training.shapes import decide_by_shape
from mnistweb.training.test_sets import TestSets, kept_test_sets

LEARNING_RATE = 5e-4
"""A sixth of that with which a network begins: what it knows is to stay."""
MAX_REVIEWED = 40
"""Reviewed drawings in a batch, beside the usual ones."""
MAX_REPEATS = 100
"""Times that a reviewed drawing is shown, redrawings included."""
COPIES = Copies().scaled(0.1)
"""A tenth of the drawn images from which a network begins."""
AVERAGED = 5
"""The moving average of the weights reaches back over one of so many parts of the training."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The model to start from, the drawings, and how long to train."""

    parent: TorchScriptRecognizer
    drawn: Sequence[Drawn]
    labels: str
    data_dir: Path
    runs: Path
    device: torch.device
    epochs: int = 3
    steps: int = 400
    seed: int = 0
    copies: Copies = COPIES


@dataclass(frozen=True, slots=True)
class Retrained:
    """A fine-tuned model: its TorchScript file, card and report, and the folder of the run."""

    script: bytes
    card: ModelCard
    report: Report
    folder: Path


@dataclass(frozen=True, slots=True)
class FineTuningData:
    """The usual data, and `reviewed` drawings in each batch, drawn by their weights; `length` batches."""

    usual: TrainingData
    reviewed: Images
    weights: Tensor
    each: int
    length: int
    validation: dict[str, Images]

    def steps(self, mix: BatchMix) -> int:  # noqa: ARG002
        """Return the number of batches in an epoch."""
        return self.length

    def batches(self, mix: BatchMix, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of one epoch: float32 [n, 1, 28, 28] in 0..1 and int64 [n] classes."""
        usual = self.usual
        pools = [(usual.mnist, mix.mnist), (usual.drawings, mix.drawings), (usual.not_digits, mix.not_digits)]
        for _ in range(self.length):
            parts = [
                pool.select(torch.randint(len(pool), (count,), generator=generator))
                for pool, count in pools
                if len(pool)
            ]
            if self.each:
                chosen = torch.multinomial(self.weights, self.each, replacement=True, generator=generator)
                parts.append(self.reviewed.select(chosen))
            images = torch.cat([part.images for part in parts])
            yield images.unsqueeze(1).float() / 255, torch.cat([part.labels for part in parts])


def trainable(parent: TorchScriptRecognizer) -> nn.Module:
    """Return the network of an exported model, as it was at the end of its training. Raises DataFileError.

    A TorchScript file of this site holds every layer with its own weights, nothing folded. So it fits the
    network of its name, unless that has changed since.
    """
    card = parent.card
    if card.name not in NETWORKS:
        raise DataFileError(f"{card.name}: no network of this program, so it cannot be trained further")
    network = NETWORKS[card.name]()
    weights = parent.network.state_dict()
    try:
        network.load_state_dict({name.removeprefix("network."): value for name, value in weights.items()})
    except RuntimeError as error:
        raise DataFileError(
            f"{card.name} {card.version}: its layers are not those of this program's network, "
            f"so it cannot be trained further; train it anew with `mnistweb train`"
        ) from error
    return shifted(network, -shift_of(card.training))


def retrain(plan: Plan) -> Retrained:
    """Fine-tune, calibrate, and measure once on the test sets. An interrupted run is continued.

    Raises DataFileError for broken files.
    """
    start = trainable(plan.parent)
    mnist = has_mnist(plan.data_dir)
    sets = kept_test_sets(plan.data_dir, plan.runs / "banks") if mnist else None
    split = split_drawings(plan.drawn, [*sets.digits.values()] if sets else ())
    config = configuration(plan)
    folder = plan.runs / f"retrain-{plan.parent.card.name}-{_fingerprint(plan, config, split, mnist)}"
    data = _data(plan, split, start, mnist)
    run = train(config, data, plan.device, folder, start)
    run.network, share = keep_what_is_known(start, run.network, data.usual.validation, plan.device)
    training = _training(plan, config, split, data, run, share, mnist)
    return _export(plan, split, data, run, training, sets, folder)


def configuration(plan: Plan) -> TrainingConfig:
    """Return the configuration: one cycle of a low learning rate, and a moving average fit for its length."""
    recipe = RECIPES[plan.parent.card.name].config
    steps = plan.epochs * plan.steps
    return dataclasses.replace(
        recipe,
        phases=(Phase(plan.epochs, LEARNING_RATE, GENTLE, warm_up=0.1),),
        seed=plan.seed,
        average=min(recipe.average, max(0.5, 1 - AVERAGED / steps)),
    )


def _data(plan: Plan, split: Split, start: nn.Module, mnist: bool) -> FineTuningData:
    files = stroke_files(plan.data_dir)
    usual = prepare(plan.data_dir, files, plan.runs / "banks", plan.copies, mnist)
    usual = decide_by_shape(usual, start)
    reviewed, weights = redraw_all(split.train)
    steps = plan.epochs * plan.steps
    each = min(MAX_REVIEWED, -(-MAX_REPEATS * len(split.train) // steps))
    chosen = {"reviewed": as_images(split.choice)} if split.choice else {}
    return FineTuningData(usual, reviewed, weights, each, plan.steps, usual.validation | chosen)


def _fingerprint(plan: Plan, config: TrainingConfig, split: Split, mnist: bool) -> str:
    """Hash what the weights depend on, so that another data set is another run."""
    drawn = [sorted((each.id, each.label) for each in part) for part in (split.train, split.choice)]
    values = (
        plan.parent.card.sha256,
        config,
        plan.steps,
        plan.copies,
        mnist,
        stroke_files(plan.data_dir),
        drawn,
    )
    return hashlib.sha256(repr(values).encode()).hexdigest()[:12]


def _export(
    plan: Plan,
    split: Split,
    data: FineTuningData,
    run: Run,
    training: dict[str, Any],
    sets: TestSets | None,
    folder: Path,
) -> Retrained:
    parent = plan.parent.card
    run.network = shifted(run.network, shift_of(parent.training))
    figures: dict[str, Any] = {}
    if sets:
        chosen, choice = calibrate_on(run.network, data.validation, sets.pictures)
        # The cost is flat about its minimum: chosen anew, the boundaries move by more than the weights gain.
        calibration = Calibration(chosen.temperature, parent.boundaries)
        figures["boundaries"] = as_figures(choice)
    else:
        calibration = Calibration(parent.temperature, parent.boundaries)
    served = export.as_served(run.network)
    figures |= _measure(served, calibration, split, sets) | {"history": run.history}
    script = export.to_torchscript(run.network)
    digest = sha256_of(script)
    card = dataclasses.replace(
        parent,
        version=digest[:12],
        sha256=digest,
        size=len(script),
        parameters=sum(parameter.numel() for parameter in run.network.parameters()),
        temperature=calibration.temperature,
        boundaries=calibration.boundaries,
        seed=plan.seed,
        training=training,
        data=_sources(parent, split, sets is not None),
        figures=figures,
    )
    return Retrained(script, card, make_report(card, export.as_served(run.network), sets), folder)


def _measure(
    served: nn.Module, calibration: Calibration, split: Split, sets: TestSets | None
) -> dict[str, Any]:
    figures: dict[str, Any] = {"milliseconds": evaluation.forward_milliseconds(served)}
    if sets:
        figures = evaluation.measure(served, calibration, sets)
    if split.test:
        answers = read(served, as_images(split.test), calibration)
        digits, others = (
            answers.select(chosen) for chosen in (answers.truth != NOT_A_DIGIT, answers.truth == NOT_A_DIGIT)
        )
        if digits.truth.size:
            figures["reviewed_test"] = digit_figures(digits)
        if others.truth.size:
            figures["reviewed_others"] = other_figures(others)
    return figures


def _training(
    plan: Plan,
    config: TrainingConfig,
    split: Split,
    data: FineTuningData,
    run: Run,
    share: float,
    mnist: bool,
) -> dict[str, Any]:
    return {
        "parent": plan.parent.card.version,
        "labels": plan.labels,
        "split": "by visitor: one of five to test, one of five of the others to choose by",
        "reviewed": {
            name: {"drawings": len(part), "visitors": len({each.writer for each in part})}
            for name, part in (("train", split.train), ("choose", split.choice), ("test", split.test))
        },
        "near_duplicates_left_out": split.near_duplicates,
        "epochs": len(run.history),
        "steps": plan.steps,
        "reviewed_in_a_batch": data.each,
        **{key: value for key, value in plan.parent.card.training.items() if key == KEY},
        "phase 1": dataclasses.asdict(config.phases[0]),
        "weight_decay": config.weight_decay,
        "average": config.average,
        "share_of_the_tuned_weights": share,
        "images": {
            "mnist": len(data.usual.mnist),
            "drawings": len(data.usual.drawings),
            "not_digits": len(data.usual.not_digits),
            "reviewed": len(data.reviewed),
        },
        "calibrated": mnist,
        "seconds": round(run.seconds),
        "precision": str(precision(plan.device)).removeprefix("torch."),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
    }


def _sources(parent: ModelCard, split: Split, mnist: bool) -> tuple[Any, ...]:
    """Return the parent's data sets, of whose weights this network is made, and the site's drawings."""
    count = len(split.train) + len(split.choice)
    kept = [each for each in parent.data if each["name"] != SITE]
    used = f"{count:,} drawings by visitors of this site to train and choose by, {len(split.test):,} to test"
    usual = "" if mnist else "; the parent's data sets were not at hand for this training"
    return (*kept, {"name": SITE, "source": "this site", "licence": "the site's own", "used": used + usual})


SITE = "Reviewed drawings"
