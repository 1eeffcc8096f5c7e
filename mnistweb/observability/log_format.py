"""How log lines look: JSON for programs, one line of text for people; gunicorn's like the site's."""

import logging
import re
import time
from logging.config import dictConfig
from types import TracebackType
from typing import Any, ClassVar

from gunicorn.glogging import Logger
from pythonjsonlogger.json import JsonFormatter

from mnistweb.observability.request_ids import current_id

# PostgreSQL repeats the row that it refused, whose visitor and drawing are nobody's business.
DETAIL = re.compile(r"^DETAIL: .*$", re.MULTILINE)
ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class NameRequest(logging.Filter):
    """Gives every record the id of the request that it is about, None outside of one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let it pass, named."""
        if not hasattr(record, "request_id"):
            record.request_id = current_id()
        return True


class RedactingFormatter(logging.Formatter):
    """A formatter that leaves out the rows which a database repeats in its messages."""

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 (logging's own name)
        """The trace, without the rows that a database repeats in its messages."""
        return DETAIL.sub("DETAIL: (hidden)", super().formatException(ei))


class Json(RedactingFormatter, JsonFormatter):
    """One JSON object a line; a trace is one of its fields."""

    def __init__(self) -> None:
        super().__init__(
            ["levelname", "name", "message", "request_id"],
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "trace"},
            timestamp="time",
        )


class Text(RedactingFormatter):
    """Time, level, request and message, for a person's eyes."""

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)-7s %(request_id)s %(message)s")
        self.converter = time.gmtime

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03d"


FORMATS = {"json": Json, "text": Text}


def configuration(log_format: str, level: int) -> dict[str, Any]:
    """For logging.config: every line on standard error, in that format."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"name": {"()": NameRequest}},
        "formatters": {"chosen": {"()": FORMATS[log_format]}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "chosen", "filters": ["name"]},
        },
        "root": {"level": max(level, logging.WARNING), "handlers": ["stderr"]},
        # gunicorn brings handlers of its own, which this takes away.
        "loggers": {
            "gunicorn.error": {"propagate": True},
            "gunicorn.access": {"propagate": True},
            "mnistweb": {"level": level},
        },
    }


class GunicornLogger(Logger):  # type: ignore[misc]
    """gunicorn's log in the site's format; its own line about each request stays off, the site writes one."""

    log_format: ClassVar[str] = "text"

    def setup(self, cfg: Any) -> None:
        """Take over the process's log. gunicorn's --log-level holds for the site too."""
        super().setup(cfg)
        dictConfig(configuration(self.log_format, self.loglevel))
