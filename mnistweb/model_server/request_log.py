"""The model server's log: a JSON line about each question, with the id that the site's log has too."""

import logging
import re
import time

from pythonjsonlogger.json import JsonFormatter
from starlette.requests import Request

from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.remote.protocol import InferenceRequest

TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
LONGEST_ID = 64

logger = logging.getLogger("mnistweb.model_server")


def configure() -> None:
    """Write to standard error, where whoever runs the application has not said where else to."""
    logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        renamed = {"levelname": "level", "name": "logger"}
        handler.setFormatter(
            JsonFormatter(["levelname", "name", "message"], rename_fields=renamed, timestamp="time")
        )
        logger.addHandler(handler)


def tell(request: Request, question: InferenceRequest, card: ModelCard, began: float) -> None:
    """Note a question that is answered, `began` being the time of the performance counter when it came."""
    told = {
        "model": card.name,
        "version": card.version,
        "images": len(question.images),
        "milliseconds": round((time.perf_counter() - began) * 1000, 2),
    }
    if question.id is not None:
        told["request_id"] = question.id[:LONGEST_ID]
    if TRACE.fullmatch(parent := request.headers.get("traceparent", "")):
        told["trace_id"], told["parent_id"] = parent.split("-")[1:3]
    logger.info("answered", extra=told)
