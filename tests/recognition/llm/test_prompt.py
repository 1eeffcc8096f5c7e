import base64
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from mnistweb.recognition.llm.prompt import Refusal, chat_messages, read_completion, read_reply


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ('{"digit": "3", "confidence": 0.9}', (3, 0.9)),
        ('{"digit": 3, "confidence": 1}', (3, 1.0)),
        ('{"confidence": 0, "digit": "none"}', (None, 0.0)),
        (' \n{"digit":"0","confidence":0.5, "why": "a loop"}\n', (0, 0.5)),
        ('```json\n{"digit": "9", "confidence": 0.7}\n```', (9, 0.7)),
        ('I see a seven: {"digit": "7", "confidence": 0.8}.', (7, 0.8)),
    ],
)
def test_reply_is_parsed(text: str, reply: tuple[int | None, float]) -> None:
    assert read_reply(text) == reply


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "It is a seven.",
        "{}",
        "{'digit': '3', 'confidence': 0.9}",
        '{"digit": "3", "confidence": 0.9',
        '{"digit": "3"}',
        '{"confidence": 0.9}',
        '{"digit": "10", "confidence": 0.9}',
        '{"digit": 10, "confidence": 0.9}',
        '{"digit": -1, "confidence": 0.9}',
        '{"digit": "three", "confidence": 0.9}',
        '{"digit": "٣", "confidence": 0.9}',
        '{"digit": true, "confidence": 0.9}',
        '{"digit": null, "confidence": 0.9}',
        '{"digit": ["3"], "confidence": 0.9}',
        '{"digit": 3.0, "confidence": 0.9}',
        '{"digit": "3", "confidence": "high"}',
        '{"digit": "3", "confidence": true}',
        '{"digit": "3", "confidence": 90}',
        '{"digit": "3", "confidence": -0.1}',
        '{"digit": "3", "confidence": NaN}',
        '{"digit": "3", "confidence": Infinity}',
        '{"digit": "3", "confidence": ' + "9" * 5000 + "}",
        '{"digit": ' + "[" * 100_000 + "}",
        '{"digit": "3", "confidence": 0.9} or {"digit": "8", "confidence": 0.1}',
    ],
)
def test_malformed_reply_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_reply(text)


def completion(**choice: object) -> SimpleNamespace:
    return SimpleNamespace(choices=[SimpleNamespace(**choice)])


@pytest.mark.parametrize(
    "found",
    [
        None,
        "<html>",
        SimpleNamespace(),
        SimpleNamespace(choices=None),
        SimpleNamespace(choices=[]),
        completion(message=None),
        completion(message=SimpleNamespace(content=None)),
        completion(message=SimpleNamespace(content=[{"type": "text", "text": "3"}])),
    ],
)
def test_completion_without_text_is_an_error(found: object) -> None:
    with pytest.raises(ValueError, match="not one object"):
        read_completion(found)


@pytest.mark.parametrize(
    "found",
    [
        completion(message=SimpleNamespace(content=None, refusal="No.")),
        completion(finish_reason="content_filter", message=SimpleNamespace(content="")),
    ],
)
def test_refusal_is_recognised(found: object) -> None:
    with pytest.raises(Refusal):
        read_completion(found)


def test_message_contains_the_enlarged_image() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:16] = 255
    [message] = chat_messages(image)
    text, picture = message["content"]
    assert "none" in text["text"]
    kind, data = picture["image_url"]["url"].split(",")
    assert kind == "data:image/png;base64"
    enlarged = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert enlarged.shape == (280, 280)
    assert (enlarged[60:220, 125:155].min(), enlarged[:, :100].max()) == (255, 0)
    json.dumps(message)
