"""ASGI application of the model server: all networks of a folder by the Open Inference Protocol."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mnistweb.model_server import request_log
from mnistweb.model_server.networks import Networks
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.remote.protocol import EXTENSIONS, read_request, write_metadata, write_response
from mnistweb.recognition.remote.tensors import HEADER_LENGTH, ProtocolError
from mnistweb.recognition.zoo import WEIGHTS

MAX_BODY_BYTES = 8 * 1024**2
"""Bytes of a request. The maximum of images, as JSON numbers, takes half of that."""
MAX_INLINE_IMAGES = 8
"""Images up to which inference takes less time than the hand-over to a thread."""


def create(weights: Path | None = None) -> Starlette:
    """Create the application; at start it loads the networks of `weights`, by default WEIGHTS_PATH.

    With DATABASE_URL it follows the site of that database: it serves the versions that are live there.
    Start-up raises ModelFileError if a network is missing or corrupt.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        request_log.configure()
        # At start, because Ray Serve creates the application in one process and starts it in others.
        folder = weights or Path(os.environ.get("WEIGHTS_PATH") or WEIGHTS)
        app.state.networks = networks = Networks(folder)
        if url := os.environ.get("DATABASE_URL"):
            await run_in_threadpool(networks.follow, url)
        yield
        await run_in_threadpool(networks.stop)

    network = "/v2/models/{name}"
    one_version = network + "/versions/{version}"
    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/v2", server_metadata),
            Route("/v2/health/live", health),
            Route("/v2/health/ready", health),  # the server listens only after loading the networks
            *(Route(path, model_metadata) for path in (network, one_version)),
            *(Route(f"{path}/ready", model_ready) for path in (network, one_version)),
            *(Route(f"{path}/infer", infer, methods=["POST"]) for path in (network, one_version)),
        ],
        exception_handlers={HTTPException: http_error, ProtocolError: bad_request, Exception: internal_error},
    )


async def server_metadata(_: Request) -> Response:
    """Return name, version and extensions of the server."""
    return JSONResponse({"name": "mnistweb", "version": version("mnistweb"), "extensions": EXTENSIONS})


async def health(_: Request) -> Response:
    """Return 200 if the server runs."""
    return JSONResponse({})


async def model_ready(request: Request) -> Response:
    """Return 200 if the model is loaded."""
    return JSONResponse({"name": _requested_model(request).card.name, "ready": True})


async def model_metadata(request: Request) -> Response:
    """Return inputs, outputs and card of a model, also of a version that was replaced a moment ago."""
    name, version = request.path_params["name"], request.path_params.get("version")
    card = version and request.app.state.networks.card(name, version)
    return JSONResponse(write_metadata(card or _requested_model(request).card))


async def infer(request: Request) -> Response:
    """Return logits for images."""
    began = time.perf_counter()
    model = _requested_model(request)
    inference = read_request(await _body(request), request.headers.get(HEADER_LENGTH))
    if len(inference.images) <= MAX_INLINE_IMAGES:
        logits = model.logits(inference.images)
    else:
        logits = await run_in_threadpool(model.logits, inference.images)
    message = write_response(logits, model.card, inference)
    request_log.log_request(request, inference, model.card, began)
    return Response(message.body, headers=message.headers)


def http_error(_: Request, error: Exception) -> Response:
    """Return an HTTP error in the protocol's form."""
    if not isinstance(error, HTTPException):
        return internal_error(_, error)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def bad_request(_: Request, error: Exception) -> Response:
    """Return 400 for a malformed request."""
    return JSONResponse({"error": str(error)}, 400)


def internal_error(_: Request, _error: Exception) -> Response:
    """Return 500 for a bug; the ASGI server logs it."""
    return JSONResponse({"error": "internal server error"}, 500)


def _requested_model(request: Request) -> TorchScriptRecognizer:
    name, wanted = request.path_params["name"], request.path_params.get("version")
    network: TorchScriptRecognizer | None = request.app.state.networks.get(name)
    if network is None:
        raise HTTPException(404, "no model of that name")
    if wanted not in (None, network.card.version):
        raise HTTPException(404, "no such version of that model")
    return network


async def _body(request: Request) -> bytes:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise HTTPException(415, "the body must not be compressed")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"the body is longer than {MAX_BODY_BYTES} bytes")
    return bytes(body)
