"""Lessons: distorted batches and the teachers' answers."""

from collections.abc import Iterator

import pytest
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from mnistweb.training.data import Images
from mnistweb.training.data_mix import BatchMix
from mnistweb.training.lessons import SOFTNESS, TAUGHT, Lesson, Phase, Teachers, lessons, loss_of
from mnistweb.training.networks import ARCHITECTURES, CLASSES, NETWORKS

CPU = torch.device("cpu")


class Noise:
    """Batches of random images."""

    @property
    def validation(self) -> dict[str, Images]:
        return {}

    def steps(self, mix: BatchMix) -> int:
        return 96 // mix.mnist

    def batches(self, mix: BatchMix, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for _ in range(self.steps(mix)):
            yield torch.rand(8, 1, 28, 28, generator=generator), torch.arange(8)


class Certain(nn.Module):
    """A teacher that answers with one class, whatever it sees."""

    logits: Tensor

    def __init__(self, digit: int, logit: float) -> None:
        super().__init__()
        self.logits = functional.one_hot(torch.tensor(digit), CLASSES) * logit

    def forward(self, images: Tensor) -> Tensor:
        return self.logits.expand(len(images), -1)


def first_lesson(teachers: Teachers) -> Lesson:
    """Return the first lesson of an epoch."""
    return next(iter(lessons(Noise(), Phase(1, 1e-3), 7, CPU, teachers)))


def test_teachers_answer_with_the_mean_of_their_softened_probabilities() -> None:
    images, labels, answers = first_lesson(Teachers([Certain(3, 9.0), Certain(5, 6.0)]))
    assert answers is not None
    assert images.shape == (len(labels), 1, 28, 28)
    each = [(Certain(*logit).logits / SOFTNESS).softmax(0) for logit in ((3, 9.0), (5, 6.0))]
    expected = torch.stack(each).mean(0)
    assert torch.allclose(answers, expected.expand(len(labels), -1))


def test_without_teachers_there_are_no_answers() -> None:
    assert first_lesson(Teachers())[2] is None


def test_lessons_are_the_same_in_a_process_of_their_own() -> None:
    networks = [NETWORKS["lenet5"]()]
    here, apart = (first_lesson(Teachers(networks, apart)) for apart in (False, True))
    assert torch.equal(here[0], apart[0])
    assert torch.equal(here[1], apart[1])
    assert here[2] is not None
    assert apart[2] is not None
    assert torch.allclose(here[2], apart[2], atol=1e-5)


def test_teacher_answers_as_the_network_does() -> None:
    torch.manual_seed(3)
    network = ARCHITECTURES["teacher"]()
    network.train()(torch.rand(32, 1, 28, 28))  # statistics other than those of a new network
    images, _, answers = first_lesson(Teachers([network]))
    assert answers is not None
    assert network.training
    expected = (network.eval()(images) / SOFTNESS).softmax(1)
    assert torch.allclose(answers, expected, atol=0.01)  # half precision


def test_teachers_see_the_distorted_images() -> None:
    seen: list[Tensor] = []
    network = Certain(1, 1.0)
    network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))  # its copy has it, too
    images, _, _ = first_lesson(Teachers([network]))
    assert torch.equal(seen[0], images)


def test_loss_is_least_for_the_teachers_answer() -> None:
    wanted = torch.randn(4, CLASSES, generator=torch.Generator().manual_seed(1))
    labels = wanted.argmax(1)
    answers = (wanted / SOFTNESS).softmax(1)
    logits = wanted.clone().requires_grad_()
    loss_of(logits, labels, answers).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    of_the_label = (wanted.softmax(1) - functional.one_hot(labels, CLASSES)) / 4 * (1 - TAUGHT)
    assert torch.allclose(logits.grad, of_the_label, atol=1e-5)


@pytest.mark.parametrize("certainty", [0.0, 20.0])
def test_loss_without_teachers_is_cross_entropy(certainty: float) -> None:
    logits = Certain(2, certainty).logits.expand(3, -1)
    labels = torch.full((3,), 2)
    assert torch.equal(loss_of(logits, labels, None), functional.cross_entropy(logits, labels))
