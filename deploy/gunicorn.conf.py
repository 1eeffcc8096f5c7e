"""Gunicorn's configuration. HOST, PORT, WORKERS and THREADS come from the environment or `.env`."""

import ctypes
import os
import shutil
import sys
import tempfile
from typing import Any

import gunicorn.http.wsgi

from mnistweb.config import environment, load, max_request_bytes
from mnistweb.observability.log_format import GunicornLogger
from mnistweb.server import processors
from mnistweb.server.worker import BufferingWorker, Limits

# One thread for each prediction: it takes less than a millisecond, and requests already use every core. Set
# before torch is imported, so that the master starts no threads, which a fork would lose.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# glibc gives every thread an arena, and keeps its memory. With two arenas, a worker of many threads adds 107
# MB instead of 129, at the same speed (make bench).
M_ARENA_MAX = -8
if hasattr(libc := ctypes.CDLL(None), "mallopt"):
    libc.mallopt(M_ARENA_MAX, 2)

settings = load(environment())

# The processes share Prometheus' counters by files. The client reads their folder when it is imported.
if settings["METRICS_TOKEN"] and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="mnistweb-metrics-")

wsgi_app = "wsgi:app"
# An address of IPv6 has brackets before a port.
host = settings["HOST"].strip("[]")
bind = f"[{host}]:{settings['PORT']}" if ":" in host else f"{host}:{settings['PORT']}"
workers = settings["WORKERS"]
worker_class = BufferingWorker
BufferingWorker.limits = Limits(
    receive_timeout=settings["RECEIVE_TIMEOUT"],
    send_timeout=settings["SEND_TIMEOUT"],
    request_bytes=max_request_bytes(settings),
    # All clients behind a proxy have its address.
    per_address=None if settings["PROXY_HOPS"] else settings["CONNECTIONS_PER_ADDRESS"],
)
# Each needs a file, of which a process often may open 1,024.
worker_connections = 800
# THREADS work, WAITING wait, and a few reject further requests: mnistweb/web/load_shedding.py.
threads = settings["THREADS"] + settings["WAITING"] + settings["DOWNLOADS"] + 4
# It would send to the socket, past the worker's deadline.
sendfile = False
# The application is created once, before the fork, so that the workers share the memory of torch and the
# networks.
preload_app = True
timeout = 30
# Running requests are finished. The slowest ones wait for another server, and are then saved. It is less than
# the 20 seconds of docker-compose.yml.
asked = {"MODEL_URL": "MODEL_TIMEOUT", "MNISTWEB_LLM_BASE_URL": "MNISTWEB_LLM_TIMEOUT"}
graceful_timeout = max([10, *(settings[seconds] + 1 for url, seconds in asked.items() if settings[url])])
keepalive = 5
GunicornLogger.log_format = settings["LOG_FORMAT"]
logger_class = GunicornLogger
# The control socket is unused, and would be shared by all sites of a user.
control_socket_disable = True

# PROXY_HOPS alone says which proxies are believed (mnistweb/web/proxies.py), wherever a client runs.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""

# The Server header does not name the software.
gunicorn.http.wsgi.SERVER = "mnistweb"


def pre_fork(server: Any, worker: Any) -> None:
    """Choose a processor for a worker, beside those of the others."""
    worker.processor = processors.choose(
        server.num_workers, [each.processor for each in server.WORKERS.values()]
    )


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Drop state that a process must not share with its parent, and restore what a fork loses."""
    from mnistweb.extensions import db

    processors.stay_on(worker.processor)
    with worker.app.wsgi().app_context():
        db.engine.dispose(close=False)
    # A fork loses torch's thread pool. torch recreates it at first use, and fails if two threads do so at
    # once. Here is only one thread.
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    from mnistweb.registry import refresh

    refresh.start(worker.app.wsgi())
    if settings["OTEL_EXPORTER_OTLP_ENDPOINT"]:
        from mnistweb.observability import tracing

        tracing.start(worker.app.wsgi())


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Stop following the models, and send the remaining traces of a process that ends."""
    from mnistweb.registry import refresh

    refresh.stop(worker.app.wsgi())
    if settings["OTEL_EXPORTER_OTLP_ENDPOINT"]:
        from mnistweb.observability import tracing

        tracing.stop(worker.app.wsgi())


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Drop a dead worker's gauges from the metrics; keep its counters."""
    if settings["METRICS_TOKEN"]:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:  # noqa: ARG001
    """Remove the folder of the metrics."""
    if settings["METRICS_TOKEN"]:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
