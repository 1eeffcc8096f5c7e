"""How gunicorn serves the site. HOST, PORT, WORKERS and THREADS come from the environment or `.env`."""

import ctypes
import os
import shutil
import sys
import tempfile
from typing import Any

import gunicorn.http.wsgi

from mnistweb.config import environment, load
from mnistweb.observability.log_format import GunicornLogger

# One thread a prediction: it takes well under a millisecond, and requests already use every core. Set before
# torch is imported, which also keeps the master from starting threads that a fork would lose.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# glibc gives every thread memory of its own to allocate from, which then stays there. With two such arenas a
# worker of many threads adds 107 MB instead of 129, at the same speed (make bench).
M_ARENA_MAX = -8
if hasattr(libc := ctypes.CDLL(None), "mallopt"):
    libc.mallopt(M_ARENA_MAX, 2)

settings = load(environment())

# The processes count for Prometheus in files, which its client must know when it is imported.
if settings["METRICS_TOKEN"] and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="mnistweb-metrics-")

wsgi_app = "wsgi:app"
bind = f"{settings['HOST']}:{settings['PORT']}"
workers = settings["WORKERS"]
worker_class = "gthread"
# THREADS work, WAITING wait, and a few turn the others away: mnistweb/overload.py.
threads = settings["THREADS"] + settings["WAITING"] + 4
# The application is made once, before the workers are forked, which then share the memory of torch and its
# networks.
preload_app = True
timeout = 30
graceful_timeout = 10
keepalive = 5
GunicornLogger.log_format = settings["LOG_FORMAT"]
logger_class = GunicornLogger
# Nothing here talks to gunicorn's control socket, which would be shared by all sites of a user.
control_socket_disable = True


# What serves the site is nobody's business.
gunicorn.http.wsgi.SERVER = "mnistweb"


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Forget what a process must not share with its parent, or loses by a fork."""
    from mnistweb.extensions import db

    with worker.app.wsgi().app_context():
        db.engine.dispose(close=False)
    # A fork loses torch's pool of threads. torch makes it anew when it is first asked for it, and fails where
    # two threads ask at once: hence here, where there is one.
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if settings["OTEL_EXPORTER_OTLP_ENDPOINT"]:
        from mnistweb.observability import tracing

        tracing.start(worker.app.wsgi())


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Send what a process that ends has traced."""
    if settings["OTEL_EXPORTER_OTLP_ENDPOINT"]:
        from mnistweb.observability import tracing

        tracing.stop(worker.app.wsgi())


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """What a process that is gone had in use is in use no more; what it counted still counts."""
    if settings["METRICS_TOKEN"]:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:  # noqa: ARG001
    """Clear up."""
    if settings["METRICS_TOKEN"]:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
