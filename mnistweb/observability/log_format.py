"""Log formats: JSON for programs, text for people. gunicorn's lines look like those of the site."""

import logging
import re
import time
from logging.config import dictConfig
from types import TracebackType
from typing import Any, ClassVar

from gunicorn.glogging import Logger
from pythonjsonlogger.json import JsonFormatter

from mnistweb.observability.request_ids import current_id

# PostgreSQL repeats the rejected row. Its visitor and drawing are not logged, for privacy.
DETAIL = re.compile(r"^DETAIL: .*$", re.MULTILINE)
ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class RequestIdFilter(logging.Filter):
    """Adds the request id to every record, None outside a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id, and accept the record."""
        if not hasattr(record, "request_id"):
            record.request_id = current_id()
        return True


class RedactingFormatter(logging.Formatter):
    """A formatter that omits the rows that a database repeats in its messages."""

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 (logging's own name)
        """Format the traceback without those rows."""
        return DETAIL.sub("DETAIL: (hidden)", super().formatException(ei))


class JsonLines(RedactingFormatter, JsonFormatter):
    """One JSON object a line; a traceback is one of its fields."""

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message", "request_id"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "trace"},
            timestamp="time",
        )


class Text(RedactingFormatter):
    """Time, level, request id and message, for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)-7s %(request_id)s %(message)s")
        self.converter = time.gmtime

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03d"


FORMATS = {"json": JsonLines, "text": Text}


def configuration(log_format: str, level: int) -> dict[str, Any]:
    """Return the configuration for logging.config: every line on standard error, in that format."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": RequestIdFilter}},
        "formatters": {"chosen": {"()": FORMATS[log_format]}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "chosen", "filters": ["request_id"]},
        },
        "root": {"level": max(level, logging.WARNING), "handlers": ["stderr"]},
        # This removes gunicorn's own handlers.
        "loggers": {
            "gunicorn.error": {"propagate": True},
            "gunicorn.access": {"propagate": True},
            "mnistweb": {"level": level},
        },
    }


class GunicornLogger(Logger):  # type: ignore[misc]
    """gunicorn's log in the site's format. Its access log is off, because the site has one."""

    log_format: ClassVar[str] = "text"

    def setup(self, cfg: Any) -> None:
        """Configure the log of the process. gunicorn's --log-level applies to the site too."""
        super().setup(cfg)
        dictConfig(configuration(self.log_format, self.loglevel))
