"""Configuration of the site: the declared settings, read from the environment and checked."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from dotenv import dotenv_values

from mnistweb.database.failover import connect_args
from mnistweb.settings.declarations import PACKAGE as PACKAGE
from mnistweb.settings.declarations import SETTINGS as SETTINGS

# The files that a checkout has beside the package, in a wheel (pyproject.toml, wheel.sources).
BUNDLED = PACKAGE / "_site"


MIN_KEY_LENGTH = 32
"""Characters of a key that signs cookies."""


class ConfigError(RuntimeError):
    """Error in a setting, which stops the start; the message names its key and the values it accepts."""


def site_files() -> Path:
    """Return the folder of templates/, static/, migrations/ and deploy/: the checkout, or a wheel's copy.

    Raises ConfigError if there is neither.
    """
    for folder in (BUNDLED, PACKAGE.parent):
        if (folder / "templates").is_dir() and (folder / "migrations").is_dir():
            return folder
    raise ConfigError(
        "templates/ and migrations/ were not found: start mnistweb from its checkout or its wheel."
    )


def project_root() -> Path:
    """Return the base of `.env` and of relative paths: the checkout, or for a wheel the current folder."""
    return Path.cwd() if BUNDLED.is_dir() else PACKAGE.parent


def environment() -> dict[str, str]:
    """Read settings from the process environment and, at lower priority, from the project's `.env`."""
    file = dotenv_values(project_root() / ".env")
    given = {key: value for key, value in file.items() if value is not None} | dict(os.environ)
    return {setting.key: given[setting.key] for setting in SETTINGS if setting.key in given}


def load(given: Mapping[str, Any]) -> dict[str, Any]:
    """Parse every setting from `given`, or else from its default.

    Other keys of `given` are passed on to Flask unchanged.
    Raises ConfigError for a value outside its range.
    """
    config = dict(given)
    for setting in SETTINGS:
        value = str(given.get(setting.key, setting.default))
        try:
            config[setting.key] = setting.kind.parse(value)
        except ValueError:
            raise ConfigError(f"{setting.key} must be {setting.kind.accepts}.") from None
    # Development generates a missing key, but a generated one would differ between replicas.
    if config["ENVIRONMENT"] == "production" and len(config["SECRET_KEY"].strip()) < MIN_KEY_LENGTH:
        raise ConfigError(
            f"SECRET_KEY must be at least {MIN_KEY_LENGTH} characters in production:"
            " make one with openssl rand -hex 32."
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


def make_instance(folder: Path) -> Path:
    """Make the folder of the site's own files, for its owner alone, and return it. Raises ConfigError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"INSTANCE_PATH {folder} cannot be used: {error.strerror}.") from None
    return folder


def for_flask(values: Mapping[str, Any], instance: Path) -> dict[str, Any]:
    """Return the values of `load`, and the configuration of Flask and its extensions derived from them.

    `instance` is the folder of the SQLite file and of the generated secret key.
    """
    secret = values["SECRET_KEY"] or development_secret(instance)
    return {
        "SQLALCHEMY_DATABASE_URI": values["DATABASE_URL"],
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(values["DATABASE_URL"], values["THREADS"]),
        "MAX_CONTENT_LENGTH": max_request_bytes(values),
        "MAX_FORM_MEMORY_SIZE": max_request_bytes(values),
        **values,
        "SECRET_KEY": secret,
        # As itsdangerous takes them: the last one signs, all of them are accepted.
        "SIGNING_KEYS": (*reversed(values["SECRET_KEY_FALLBACKS"]), secret),
    }


def max_request_bytes(values: Mapping[str, Any]) -> int:
    """Return the size of the largest request: an image, its strokes and the fields of a form."""
    # Base64 makes four characters of three bytes.
    return int(values["MAX_IMAGE_BYTES"] * 4 // 3 + 1024**2)


def engine_options(url: str, threads: int) -> dict[str, Any]:
    """Return the options of SQLAlchemy's engine for the database at `url` and `threads` threads."""
    # For privacy: errors are logged, and the parameters are visitors' data.
    options: dict[str, Any] = {
        "hide_parameters": True,
        "json_serializer": _to_json,
        "json_deserializer": orjson.loads,
    }
    if url.startswith("sqlite"):
        return options
    return options | {
        "pool_size": threads,
        "max_overflow": 0,
        "pool_timeout": 5,
        "connect_args": connect_args(url),
    }


def _to_json(value: object) -> str:
    return orjson.dumps(value).decode()


def development_secret(instance: Path) -> str:
    """Return the key in `instance`/secret_key; generate it, readable by its owner only, if it is missing.

    Raises ConfigError if the file holds no key.
    """
    path = instance / "secret_key"
    if not path.exists():
        draft = instance / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        with draft.open("w") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)  # atomic: of several starting processes, one creates the key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    key = path.read_text()
    if len(key.strip()) < MIN_KEY_LENGTH:
        raise ConfigError(
            f"SECRET_KEY must be set, because {path} has fewer than {MIN_KEY_LENGTH} characters;"
            " without this file a new key is made."
        )
    return key
