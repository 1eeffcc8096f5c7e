"""The model server's log: one JSON line for each request, with the request id of the site's log."""

import logging
import re
import time

from pythonjsonlogger.json import JsonFormatter
from starlette.requests import Request

from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.remote.protocol import InferenceRequest

TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
MAX_ID_LENGTH = 64

logger = logging.getLogger("mnistweb.model_server")


def configure() -> None:
    """Log to standard error, unless the application has handlers of its own."""
    logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        renamed = {"levelname": "level", "name": "logger"}
        handler.setFormatter(
            JsonFormatter(["levelname", "name", "message"], rename_fields=renamed, timestamp="time")
        )
        logger.addHandler(handler)


def log_request(request: Request, inference: InferenceRequest, card: ModelCard, began: float) -> None:
    """Log an answered request; `began` is the value of time.perf_counter() at its start."""
    fields = {
        "model": card.name,
        "version": card.version,
        "images": len(inference.images),
        "milliseconds": round((time.perf_counter() - began) * 1000, 2),
    }
    if inference.id is not None:
        fields["request_id"] = inference.id[:MAX_ID_LENGTH]
    if TRACEPARENT.fullmatch(parent := request.headers.get("traceparent", "")):
        fields["trace_id"], fields["parent_id"] = parent.split("-")[1:3]
    logger.info("answered", extra=fields)
