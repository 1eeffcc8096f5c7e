"""A language model as one more recognizer, behind any endpoint that speaks OpenAI's chat completions."""

import logging
import threading
import time
from concurrent.futures import Future
from typing import Any

import openai

from mnistweb.recognition.errors import RecognitionError
from mnistweb.recognition.llm.prompt import REPLY_FORMAT, Refusal, messages, read_completion
from mnistweb.recognition.model_card import ServiceCard
from mnistweb.recognition.types import Answer, DigitImage

NAME = "llm"
PAUSE = 0.5  # seconds before the second and last attempt

logger = logging.getLogger(__name__)
# At DEBUG the client logs what the endpoint wrote, in which a wrong key may be repeated.
logging.getLogger("openai").setLevel(logging.INFO)


class LanguageModel:
    """A model of an endpoint. Safe to use from several threads.

    At most `places` questions are under way at a time, and each is waited for `timeout` seconds at most.
    Whoever comes beyond that is told so at once: a slow endpoint never takes all threads of a process.
    """

    def __init__(self, base_url: str, api_key: str, model: str, timeout: float, places: int) -> None:
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
        self._places = threading.BoundedSemaphore(places)
        # The client's own retries are off: they would repeat what already took all the time, and wait
        # up to two minutes where told to. Without a key it would send OPENAI_API_KEY, perhaps another's.
        self._client = openai.OpenAI(base_url=base_url, api_key=api_key or "none", max_retries=0)

    def recognize(self, image: DigitImage) -> Answer:
        """Read a preprocessed image, uint8 [28, 28] with 255 for ink. Raises RecognitionError."""
        if not self._places.acquire(blocking=False):
            raise _error("model_busy", "The language model is busy with other drawings.")
        outcome: Future[Answer] = Future()
        # In a thread of its own, because the client's timeout starts anew with every byte that arrives, and
        # some endpoints send blanks for as long as they think. Its place is free again when they stop.
        threading.Thread(target=self._work, args=(image, outcome), daemon=True).start()
        try:
            return outcome.result(self._timeout)
        except TimeoutError:
            raise self._too_slow() from None

    def _work(self, image: DigitImage, outcome: Future[Answer]) -> None:
        try:
            try:
                answer = self._answer(image)
            finally:
                self._places.release()
        except Exception as error:  # belongs to the thread that waits
            outcome.set_exception(error)
        else:
            outcome.set_result(answer)

    def _answer(self, image: DigitImage) -> Answer:
        try:
            digit, confidence = read_completion(self._ask(image))
        except openai.OpenAIError as error:
            # Neither what the endpoint wrote nor its address is logged: both may hold what is secret.
            logger.warning("The language model failed: %s.", type(error).__name__)
            raise self._explain(error) from None
        except Refusal:
            raise _error("model_refused", "The language model refused to look at this drawing.") from None
        except (ValueError, RecursionError):
            logger.warning("The language model's answer could not be understood.")
            sentence = "The language model’s answer makes no sense."
            raise _error("model_nonsense", sentence) from None
        return answer(digit, confidence, self.card)

    def _ask(self, image: DigitImage) -> object:
        deadline = time.monotonic() + self._timeout
        question = {"model": self.card.version, "messages": messages(image)}
        try:
            return self._send(question | {"response_format": REPLY_FORMAT}, deadline)
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            return self._send(question, deadline)  # some endpoints know no formats; the words say it too

    def _send(self, question: dict[str, Any], deadline: float) -> object:
        try:
            return self._send_once(question, deadline)
        except openai.APITimeoutError:
            raise
        except (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError):
            time.sleep(PAUSE)
            return self._send_once(question, deadline)

    def _send_once(self, question: dict[str, Any], deadline: float) -> object:
        left = max(deadline - time.monotonic(), 0.01)
        return self._client.chat.completions.create(**question, timeout=left)

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


def answer(digit: int | None, confidence: float, card: ServiceCard) -> Answer:
    """The answer that a reply makes; the other nine digits, of which it says nothing, share the rest."""
    if digit is None:
        probabilities, reason = [0.1] * 10, "The language model sees no single digit here."
    else:
        probabilities, reason = [(1 - confidence) / 9] * 10, None
        probabilities[digit] = confidence
    return Answer(
        digit=digit,
        confidence=confidence,
        probabilities=tuple(probabilities),
        not_a_digit=confidence if digit is None else 0.0,
        reason=reason,
        model=card.name,
        model_version=card.version,
    )


def _error(code: str, sentence: str) -> RecognitionError:
    return RecognitionError(code, f"{sentence} Try again, or choose another model.")
