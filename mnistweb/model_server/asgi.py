"""The model server: every network of a folder by the Open Inference Protocol, as an ASGI application."""

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

from mnistweb.model_server import request_log as log
from mnistweb.recognition.recognizer import TorchScriptRecognizer, load_all
from mnistweb.recognition.remote.protocol import EXTENSIONS, read_request, write_metadata, write_response
from mnistweb.recognition.remote.tensors import HEADER_LENGTH, ProtocolError
from mnistweb.recognition.zoo import WEIGHTS

MOST_BYTES = 8 * 1024**2
"""Of a request; the most images, written as numbers, take half of that."""
QUICK = 8
"""Images that are read before another thread would have begun."""


def create(weights: Path | None = None) -> Starlette:
    """The application; it loads the networks of `weights`, by default WEIGHTS_PATH, when it starts.

    Start-up raises ModelFileError where a network is missing or corrupt.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        log.configure()
        # Not before: Ray Serve makes the application in one process and starts it in others.
        folder = weights or Path(os.environ.get("WEIGHTS_PATH") or WEIGHTS)
        app.state.networks = load_all(folder)
        yield

    network = "/v2/models/{name}"
    one_version = network + "/versions/{version}"
    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/v2", about_server),
            Route("/v2/health/live", live),
            Route("/v2/health/ready", live),  # it does not listen before the networks are loaded
            *(Route(path, about_network) for path in (network, one_version)),
            *(Route(f"{path}/ready", ready) for path in (network, one_version)),
            *(Route(f"{path}/infer", infer, methods=["POST"]) for path in (network, one_version)),
        ],
        exception_handlers={HTTPException: refuse, ProtocolError: not_understood, Exception: fail},
    )


async def about_server(_: Request) -> Response:
    """What this server is."""
    return JSONResponse({"name": "mnistweb", "version": version("mnistweb"), "extensions": EXTENSIONS})


async def live(_: Request) -> Response:
    """It answers."""
    return JSONResponse({})


async def ready(request: Request) -> Response:
    """A network is loaded."""
    return JSONResponse({"name": _network(request).card.name, "ready": True})


async def about_network(request: Request) -> Response:
    """What a network takes and gives, and its card."""
    return JSONResponse(write_metadata(_network(request).card))


async def infer(request: Request) -> Response:
    """Logits for images."""
    began = time.perf_counter()
    network = _network(request)
    question = read_request(await _body(request), request.headers.get(HEADER_LENGTH))
    if len(question.images) <= QUICK:
        logits = network.logits(question.images)
    else:
        logits = await run_in_threadpool(network.logits, question.images)
    message = write_response(logits, network.card, question)
    log.tell(request, question, network.card, began)
    return Response(message.body, headers=message.headers)


def refuse(_: Request, error: Exception) -> Response:
    """An error of HTTP, in the protocol's form."""
    if not isinstance(error, HTTPException):
        return fail(_, error)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def not_understood(_: Request, error: Exception) -> Response:
    """A request that is none."""
    return JSONResponse({"error": str(error)}, 400)


def fail(_: Request, _error: Exception) -> Response:
    """A bug, which whoever runs the application logs."""
    return JSONResponse({"error": "something went wrong here"}, 500)


def _network(request: Request) -> TorchScriptRecognizer:
    name, wanted = request.path_params["name"], request.path_params.get("version")
    network: TorchScriptRecognizer | None = request.app.state.networks.get(name)
    if network is None:
        raise HTTPException(404, "there is no model of that name")
    if wanted not in (None, network.card.version):
        raise HTTPException(404, "there is no such version of that model")
    return network


async def _body(request: Request) -> bytes:
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise HTTPException(415, "the body must not be compressed")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"the body is longer than {MOST_BYTES} bytes")
    return bytes(body)
