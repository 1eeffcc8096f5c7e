"""Every setting of the site: its default, its range, and what is wrong with a value outside it."""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

PACKAGE = Path(__file__).resolve().parent
# A wheel carries here what a checkout has beside the package (pyproject.toml, wheel.sources).
BUNDLED = PACKAGE / "_site"


class ConfigError(RuntimeError):
    """A setting that stops the start; the message names its key and what would be right."""


class Hidden(str):
    """A text that must not be seen where settings are printed, as in a debugger."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'(hidden)'"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key in the environment, its default as it would stand there, and how it is read."""

    key: str
    default: str
    read: Callable[[str], Any]


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise ValueError(f"a whole number from {lowest} to {highest}")
        return int(text)

    return read


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("true or false")
    return text.lower() == "true"


def _a_minute(text: str) -> tuple[int, int]:
    try:
        visitor, address = map(_whole(1, 1_000_000), text.split(","))
    except ValueError:
        raise ValueError(
            "two whole numbers from 1 to 1000000, as 10,50: of a visitor and of an address"
        ) from None
    return visitor, address


def _hosts(text: str) -> list[str] | None:
    hosts = [host.strip().lower() for host in text.split(",")] if text else []
    if not all(re.fullmatch(r"\.?[a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\]", host) for host in hosts):
        raise ValueError("names of hosts, without ports, with commas between them, or empty")
    # Whoever can use these names is on the same machine, as a container's health check is.
    return [*hosts, "localhost", "127.0.0.1", "[::1]"] if hosts else None


def _limit_storage(text: str) -> str:
    if text != "memory://" and not text.startswith(("redis://", "rediss://", "redis+unix://")):
        raise ValueError("memory:// or the URL of a Redis, as redis://host:6379/0")
    return text


def _text(text: str) -> str:
    if not text:
        raise ValueError("not empty")
    return text


def _one_of(*values: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in values:
            raise ValueError(" or ".join(filter(None, values)))
        return text

    return read


def _secret(text: str) -> str:
    if 0 < len(text) < 16:
        raise ValueError("at least 16 characters")
    return text


def _token(text: str) -> Hidden:
    if text and (len(text) < 16 or not (text.isascii() and text.isprintable()) or " " in text):
        raise ValueError("at least 16 letters, digits and signs without spaces, or empty")
    return Hidden(text)


def _api_key(text: str) -> Hidden:
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("letters, digits and signs without spaces")
    return Hidden(text)


def _endpoint(text: str) -> str:
    try:
        url = urlsplit(text)
        right = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        right = False
    if text and (not right or set(text) & set("@?# ") or not text.isascii() or not text.isprintable()):
        raise ValueError("an address such as https://host/v1, without a password, or empty")
    return text


def _model_name(text: str) -> str:
    if len(text) > 64 or not text.isprintable():
        raise ValueError("a name of at most 64 characters")
    return text


def _database_url(text: str) -> str:
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError("a database URL, such as postgresql://user:password@host/name") from None
    # The driver is named because "postgresql" alone means another one from SQLAlchemy 2.1 on, and
    # hosting services still hand out "postgres".
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg2")
    if url.drivername not in ("sqlite", "postgresql+psycopg2"):
        raise ValueError("the URL of an SQLite or a PostgreSQL database")
    return url.render_as_string(hide_password=False)


SETTINGS = (
    Setting("ENVIRONMENT", "development", _one_of("development", "production")),
    Setting("HOST", "127.0.0.1", _text),
    Setting("PORT", "8000", _whole(1, 65535)),
    Setting("WORKERS", "2", _whole(1, 64)),
    Setting("THREADS", "4", _whole(1, 64)),
    Setting("WAITING", "64", _whole(0, 1000)),
    Setting("DATABASE_URL", "sqlite:///mnistweb.sqlite3", _database_url),
    Setting("SECRET_KEY", "", _secret),
    Setting("INSTANCE_PATH", "instance", _text),
    Setting("MAX_IMAGE_BYTES", str(8 * 1024**2), _whole(1024, 64 * 1024**2)),
    Setting("MAX_IMAGE_PIXELS", str(16 * 1024**2), _whole(28 * 28, 100_000_000)),
    Setting("WEIGHTS_PATH", str(PACKAGE / "weights"), _text),
    Setting("DEFAULT_MODEL", "cnn", _text),
    Setting("MODEL_URL", "", _endpoint),
    # As much below the page's 20 seconds as a language model's.
    Setting("MODEL_TIMEOUT", "3", _whole(1, 18)),
    Setting("MODEL_FALLBACK", "none", _one_of("none", "local")),
    Setting("PROXY_HOPS", "0", _whole(0, 8)),
    Setting("TRUSTED_HOSTS", "", _hosts),
    Setting("PUBLIC_HISTORY", "everyone", _one_of("everyone", "own", "off")),
    Setting("METRICS_TOKEN", "", _token),
    Setting("OTEL_EXPORTER_OTLP_ENDPOINT", "", _endpoint),
    Setting("LOG_FORMAT", "", _one_of("", "text", "json")),
    Setting("RATELIMIT_ENABLED", "true", _flag),
    Setting("RATELIMIT_STORAGE_URI", "memory://", _limit_storage),
    Setting("RATELIMIT_PREDICT", "1200,6000", _a_minute),
    Setting("RATELIMIT_GUESS", "1200,12000", _a_minute),
    Setting("RATELIMIT_FEEDBACK", "600,3000", _a_minute),
    Setting("RATELIMIT_COMPARISON", "120,600", _a_minute),
    Setting("RATELIMIT_INSIDE", "120,600", _a_minute),
    Setting("RATELIMIT_READ", "600,3000", _a_minute),
    Setting("RATELIMIT_DOWNLOAD", "30,120", _a_minute),
    Setting("RATELIMIT_DELETE", "600,3000", _a_minute),
    Setting("MNISTWEB_LLM_BASE_URL", "", _endpoint),
    Setting("MNISTWEB_LLM_API_KEY", "", _api_key),
    Setting("MNISTWEB_LLM_MODEL", "", _model_name),
    # Below the 20 seconds that the page's script waits, so that the visitor is told what happened.
    Setting("MNISTWEB_LLM_TIMEOUT", "15", _whole(1, 18)),
)


def site_files() -> Path:
    """Folder of templates/, static/, migrations/ and deploy/: the checkout, or a wheel's copy of them.

    Raises ConfigError where there is neither.
    """
    for folder in (BUNDLED, PACKAGE.parent):
        if (folder / "templates").is_dir() and (folder / "migrations").is_dir():
            return folder
    raise ConfigError(
        "templates/ and migrations/ were not found: start mnistweb from its checkout or its wheel."
    )


def project_root() -> Path:
    """Base of `.env` and of relative paths in settings: the checkout; for a wheel, the current folder."""
    return Path.cwd() if BUNDLED.is_dir() else PACKAGE.parent


def environment() -> dict[str, str]:
    """Settings of the process environment and, below it, of `.env` in the project's root."""
    file = dotenv_values(project_root() / ".env")
    given = {key: value for key, value in file.items() if value is not None} | dict(os.environ)
    return {setting.key: given[setting.key] for setting in SETTINGS if setting.key in given}


def load(given: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting, read from `given` where it stands there and from its default otherwise.

    Keys of `given` that are no settings of the site are passed on to Flask as they are.
    Raises ConfigError for a value outside its range.
    """
    config = dict(given)
    for setting in SETTINGS:
        value = str(given.get(setting.key, setting.default))
        try:
            config[setting.key] = setting.read(value)
        except ValueError as error:
            raise ConfigError(f"{setting.key} must be {error}.") from None
    # In development a missing key is made up; in production it would differ between replicas.
    if config["ENVIRONMENT"] == "production" and len(config["SECRET_KEY"]) < 32:
        raise ConfigError(
            "SECRET_KEY must be at least 32 characters in production: make one with openssl rand -hex 32."
        )
    _check_language_model(config)
    config["LOG_FORMAT"] = config["LOG_FORMAT"] or (
        "json" if config["ENVIRONMENT"] == "production" else "text"
    )
    return config


def _check_language_model(config: Mapping[str, Any]) -> None:
    names = ("MNISTWEB_LLM_BASE_URL", "MNISTWEB_LLM_MODEL")
    missing = [name for name in names if not config[name]]
    if missing and (len(missing) < len(names) or config["MNISTWEB_LLM_API_KEY"]):
        raise ConfigError(f"{missing[0]} must be set too where a language model is to be asked.")
    if not missing and config["THREADS"] < 2:
        raise ConfigError(
            "THREADS must be at least 2 where a language model is asked: it may take half of them."
        )


def for_flask(values: Mapping[str, Any], instance: Path) -> dict[str, Any]:
    """The values of `load`, and what Flask and its extensions derive from them.

    `instance` is the folder for what the site keeps itself: the SQLite file, and a key where none is set.
    """
    # An image arrives as base64, four characters for three bytes, with strokes and form fields beside it.
    longest_request = values["MAX_IMAGE_BYTES"] * 4 // 3 + 1024**2
    return {
        "SQLALCHEMY_DATABASE_URI": values["DATABASE_URL"],
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(values["DATABASE_URL"], values["THREADS"]),
        "MAX_CONTENT_LENGTH": longest_request,
        "MAX_FORM_MEMORY_SIZE": longest_request,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": 24 * 3600,
        **values,
        "SECRET_KEY": values["SECRET_KEY"] or development_secret(instance),
    }


def engine_options(url: str, threads: int) -> dict[str, Any]:
    """Options of SQLAlchemy's engine for the database at `url` in a process of `threads` threads."""
    # Errors are logged, and what was to be stored is a visitor's and no operator's business.
    discreet = {"hide_parameters": True}
    if url.startswith("sqlite"):
        return discreet
    return discreet | {
        "pool_size": threads,
        "max_overflow": 0,
        "pool_timeout": 5,
        "connect_args": {"connect_timeout": 2, "tcp_user_timeout": 5000},
    }


def development_secret(instance: Path) -> str:
    """The key kept in `instance`/secret_key, made there (readable by its owner alone) the first time."""
    path = instance / "secret_key"
    if not path.exists():
        draft = instance / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32))
        try:
            path.hardlink_to(draft)  # atomic: of several processes that start at once, one makes the key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
