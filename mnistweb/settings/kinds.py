"""Kinds of settings: the values that they accept, and their parsers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError


class Hidden(str):
    """Secret text that debuggers and logs print as "(hidden)"."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'(hidden)'"


@dataclass(frozen=True, slots=True)
class Kind:
    """Accepted values of a setting, as a phrase after "must be", and a parser that raises ValueError."""

    accepts: str
    parse: Callable[[str], Any]


def integer(lowest: int, highest: int) -> Kind:
    """Accept whole numbers of a range."""

    def parse(text: str) -> int:
        _check(text.isascii() and text.isdigit() and lowest <= int(text) <= highest)
        return int(text)

    return Kind(f"a whole number from {lowest} to {highest}", parse)


def _positive(text: str) -> int:
    _check(re.fullmatch("[1-9][0-9]*", text))
    return int(text)


def one_of(*values: str) -> Kind:
    """Accept one of these words."""

    def parse(text: str) -> str:
        _check(text in values)
        return text

    return Kind(" or ".join(filter(None, values)), parse)


def _check(valid: object) -> None:
    if not valid:
        raise ValueError


def _flag(text: str) -> bool:
    _check(text.lower() in ("true", "false"))
    return text.lower() == "true"


def _text(text: str) -> str:
    _check(text)
    return text


def _secret(text: str) -> str:
    _check(not text or len(text.strip()) >= 16)
    return text


def _former_secrets(text: str) -> list[str]:
    keys = text.split()
    _check(all(len(key) >= 16 for key in keys))
    return keys


def _token(text: str) -> Hidden:
    _check(not text or len(text) >= 16)
    return _api_key(text)


def _api_key(text: str) -> Hidden:
    _check(text.isascii() and text.isprintable() and " " not in text)
    return Hidden(text)


def _password_hash(text: str) -> Hidden:
    _check(re.fullmatch(r"|scrypt(:[0-9]+){3}([/$])[A-Za-z0-9]+\2[0-9a-f]+", text, re.ASCII))
    return Hidden(text.replace("/", "$"))


def _model_name(text: str) -> str:
    _check(len(text) <= 64 and text.isprintable())
    return text


def _share(text: str) -> float | None:
    _check(re.fullmatch(r"|[0-9]*\.?[0-9]+", text, re.ASCII))
    _check(not text or float(text) <= 1)
    return float(text) if text else None


def _two_numbers(text: str) -> tuple[int, int]:
    visitor, address = map(integer(1, 1_000_000).parse, text.split(","))
    return visitor, address


def _hosts(text: str) -> list[str] | None:
    hosts = [host.strip().lower() for host in text.split(",")] if text else []
    _check(all(re.fullmatch(r"\.?[a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\]", host) for host in hosts))
    # For health checks in a container; only the same machine can reach the site by these names.
    return [*hosts, "localhost", "127.0.0.1", "[::1]"] if hosts else None


def _origins(text: str) -> list[str]:
    origins = text.split()
    host = r"(\*\.)?[a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\]"
    _check(all(re.fullmatch(rf"https?://({host})(:[0-9]{{1,5}})?", origin) for origin in origins))
    return origins


def _limit_storage(text: str) -> str:
    _check(text == "memory://" or text.startswith(("redis://", "rediss://", "redis+unix://")))
    return text


def _endpoint(text: str) -> str:
    url = urlsplit(text)
    valid = url.scheme in ("http", "https") and url.hostname and url.port != 0
    _check(not text or (valid and not set(text) & set("@?# ") and text.isascii() and text.isprintable()))
    return text


def _store(text: str) -> str:
    _check(not text or re.fullmatch(r"[a-z][a-z0-9+]*://[^\s@?#]*", text))
    return text


def _database_url(text: str) -> str:
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError from None
    # "@" and "/" of a password that is not encoded end up in other parts.
    _check(url.drivername == "sqlite" or "@" not in f"{url.host}{url.database}")
    # SQLAlchemy 2.1 changes the default driver of "postgresql", and hosting services still use "postgres".
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg2")
    _check(url.drivername in ("sqlite", "postgresql+psycopg2"))
    return url.render_as_string(hide_password=False)


NOT_EMPTY = Kind("not empty", _text)
ANY = Kind("any text", str)
FLAG = Kind("true or false", _flag)
SECRET = Kind("at least 16 characters", _secret)
FORMER_SECRETS = Kind("keys of at least 16 characters, with spaces between them, or empty", _former_secrets)
TOKEN = Kind("at least 16 letters, digits and signs without spaces, or empty", _token)
API_KEY = Kind("letters, digits and signs without spaces", _api_key)
PASSWORD_HASH = Kind("a line that `mnistweb review password` wrote, or empty", _password_hash)
MODEL_NAME = Kind("a name of at most 64 characters", _model_name)
SHARE = Kind("a number from 0 to 1, or empty", _share)
ENDPOINT = Kind("an address such as https://host/v1, without a password, or empty", _endpoint)
DATABASE = Kind(
    "the URL of an SQLite or a PostgreSQL database, such as postgresql://user:password@host/name,"
    " with special characters in its parts percent-encoded (%40 for @, %2F for /)",
    _database_url,
)
POSITIVE = Kind("a whole number from 1 on", _positive)
HOSTS = Kind("names of hosts, without ports, with commas between them, or empty", _hosts)
ORIGINS = Kind(
    "origins such as https://lms.example.org, without paths, with spaces between them, or empty", _origins
)
STORE = Kind("a URL such as s3://bucket/models or file:///mnt/models, without a password, or empty", _store)
LIMIT_STORAGE = Kind("memory:// or the URL of a Redis, as redis://host:6379/0", _limit_storage)
TWO_NUMBERS = Kind(
    "two whole numbers from 1 to 1000000, as 10,50: of a visitor and of an address", _two_numbers
)
