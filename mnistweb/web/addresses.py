"""Addresses of pages, each built once. `url_for` takes longer than many of the parts of an answer."""

from functools import lru_cache
from typing import Any

from flask import url_for

from mnistweb.current import current_request


def address_of(endpoint: str, **values: Any) -> str:
    """Return the path of a page, as `url_for` does. It is for addresses of which there are few."""
    return _build(current_request().script_root, endpoint, **values)


@lru_cache(maxsize=100)
def _build(_: str, endpoint: str, **values: Any) -> str:
    # All that an address without a host depends on, besides its parameters, is the site's place on it.
    return url_for(endpoint, **values)
