"""Recognizer that asks a language model, at any endpoint with OpenAI's chat completions."""

import logging
import time
from collections.abc import Callable
from typing import Any

import openai

from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.deadline import BoundedCalls, TooManyCalls
from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.llm.prompt import RESPONSE_FORMAT, Refusal, chat_messages, read_completion
from mnistweb.recognition.model_card import ServiceCard
from mnistweb.recognition.types import Answer, DigitImage

NAME = "llm"
SURE_FROM = 0.8
"""The confidence from which its digit is sure, unless the site says otherwise."""
RETRY_PAUSE = 0.5
"""Seconds before the second and last attempt."""

logger = logging.getLogger(__name__)
# At DEBUG the client logs responses, and some endpoints repeat a wrong key in theirs.
logging.getLogger("openai").setLevel(logging.INFO)


class LanguageModel:
    """A model of an endpoint. Safe to use from several threads.

    At most `places` requests are under way at a time, and each takes `timeout` seconds at most. Further ones
    are refused at once: a slow endpoint never occupies all threads of a process. Its digit is sure from a
    confidence of `sure_from` on, in its own words, None for SURE_FROM. `sleep` waits some seconds.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str,
        timeout: float,
        places: int,
        sure_from: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.card = ServiceCard(
            name=NAME,
            title="Language model",
            summary="A general model that sees pictures, run elsewhere: the drawing is sent there.",
            version=model,
            weaknesses=(
                "How sure it is, is its own word and not calibrated.",
                "It takes seconds, not milliseconds.",
            ),
        )
        self._timeout = timeout
        self._sure_from = SURE_FROM if sure_from is None else sure_from
        self._sleep = sleep
        self._calls = BoundedCalls(places)
        # The client's own retries are off: they repeat requests that have timed out, and wait up to two
        # minutes if the endpoint says so. Without a key it would send OPENAI_API_KEY, perhaps of another
        # account.
        self._client = openai.OpenAI(base_url=base_url, api_key=api_key or "none", max_retries=0)

    def recognize(self, image: DigitImage) -> Answer:
        """Read a preprocessed image, uint8 [28, 28] with 255 for ink. Raises RecognitionError."""
        try:
            # The client's own timeout restarts with every byte, and some endpoints send blanks meanwhile.
            return self._calls.run(lambda: self._answer(image), self._timeout)
        except TooManyCalls:
            raise _error("model_busy", "The language model is busy with other drawings.") from None
        except TimeoutError:
            raise self._too_slow() from None

    def _answer(self, image: DigitImage) -> Answer:
        try:
            digit, confidence = read_completion(self._request(image))
        except openai.OpenAIError as error:
            # Neither the response nor the address is logged: both may contain secrets.
            logger.warning("The language model failed: %s.", type(error).__name__)
            raise self._explain(error) from None
        except Refusal:
            raise _error("model_refused", "The language model refused to look at this drawing.") from None
        except (ValueError, RecursionError):
            logger.warning("The language model's answer could not be understood.")
            sentence = "The language model’s answer makes no sense."
            raise _error("model_nonsense", sentence) from None
        return make_answer(digit, confidence, self.card, self._sure_from)

    def _request(self, image: DigitImage) -> object:
        deadline = time.monotonic() + self._timeout
        request = {"model": self.card.version, "messages": chat_messages(image)}
        try:
            return self._send(request | {"response_format": RESPONSE_FORMAT}, deadline)
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            return self._send(request, deadline)  # some endpoints know no formats; the prompt has it too

    def _send(self, request: dict[str, Any], deadline: float) -> object:
        try:
            return self._send_once(request, deadline)
        except openai.APITimeoutError:
            raise
        except (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError):
            self._sleep(RETRY_PAUSE)
            return self._send_once(request, deadline)

    def _send_once(self, request: dict[str, Any], deadline: float) -> object:
        left = max(deadline - time.monotonic(), 0.01)
        return self._client.chat.completions.create(**request, timeout=left)

    def _explain(self, error: openai.OpenAIError) -> RecognitionError:
        match error:
            case openai.APITimeoutError():
                return self._too_slow()
            case openai.RateLimitError():
                return _error("model_rate_limited", "The language model takes no more questions right now.")
            case openai.APIConnectionError():
                sentence = "The language model can’t be reached."
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                sentence = "The language model doesn’t accept this site’s key."
            case openai.NotFoundError():
                sentence = "The language model’s server doesn’t know it."
            case openai.APIStatusError():
                sentence = f"The language model failed with status {error.status_code}."
            case _:
                sentence = "The language model is unavailable right now."
        return _error("model_unavailable", sentence)

    def _too_slow(self) -> RecognitionError:
        return _error("model_timeout", f"The language model didn’t answer within {self._timeout:g} seconds.")


def make_answer(digit: int | None, confidence: float, card: ServiceCard, sure_from: float) -> Answer:
    """Make the answer of a reply. The other nine digits, which it does not mention, share the rest."""
    if digit is None:
        certainty, reason = Certainty.NOT_A_DIGIT, "The language model sees no single digit here."
        probabilities = [0.1] * 10
    else:
        certainty, reason = Certainty.SURE if confidence >= sure_from else Certainty.DOUBTFUL, None
        probabilities = [(1 - confidence) / 9] * 10
        probabilities[digit] = confidence
    return Answer(
        digit=digit,
        certainty=certainty,
        confidence=confidence,
        probabilities=tuple(probabilities),
        not_a_digit=confidence if digit is None else 0.0,
        reason=reason,
        model=card.name,
        model_version=card.version,
    )


def _error(code: str, sentence: str) -> RecognitionError:
    return RecognitionError(code, f"{sentence} Try again, or choose another model.")
