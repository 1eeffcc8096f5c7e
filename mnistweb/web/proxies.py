"""Trusted proxies: what they say of a client, and the client's address in one form."""

import ipaddress
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PREFIX_HEADER = "HTTP_X_FORWARDED_PREFIX"
PREFIX = re.compile(r"(/[\w.~-]+)*/?", re.ASCII)
"""A path below which the site is. It begins no address of another host, as //host would."""
SCHEME_HEADER = "HTTP_X_FORWARDED_PROTO"
SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
"""The scheme of the answer, by what a proxy calls it: of WebSockets it is that of their first request."""
ADDRESS_WITH_PORT = re.compile(r"\[(?P<v6>[0-9a-fA-F:.]+)\](:\d+)?|(?P<v4>[0-9.]+):\d+", re.ASCII)
IPV6_NETWORK = 64
"""Bits of the network of one customer, who has all of its addresses."""


class TrustedProxies(ProxyFix):
    """Believes the headers `X-Forwarded-...` of this number of proxies.

    A prefix counts only if it is a path, and a scheme only if it is one of SCHEMES.
    """

    def __init__(self, app: Flask, hops: int) -> None:
        super().__init__(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer the request."""
        if given := environ.get(PREFIX_HEADER):
            prefixes = [prefix.strip() for prefix in given.split(",")]
            valid = all(PREFIX.fullmatch(prefix) for prefix in prefixes)
            environ[PREFIX_HEADER] = ",".join(prefix.rstrip("/") for prefix in prefixes) if valid else ""
        if given := environ.get(SCHEME_HEADER):
            # In place of one that does not count, the connection's own: each keeps its place in the list.
            own: str = environ["wsgi.url_scheme"]
            names = (name.strip().lower() for name in given.split(","))
            environ[SCHEME_HEADER] = ",".join(SCHEMES.get(name, own) for name in names)
        return super().__call__(environ, start_response)


def client_address(text: str | None) -> str:
    """Return the address of a client: without port and zone, and one that maps IPv4 into IPv6 as IPv4."""
    address = _parse(text or "")
    return (text or "") if address is None else str(address)


def client_network(text: str | None) -> str:
    """Return the address that limits count: of IPv4 itself, of IPv6 its /64."""
    text = text or ""
    if ":" not in text:
        return text
    address = _parse(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, IPV6_NETWORK), strict=False))
    return text if address is None else str(address)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if found := ADDRESS_WITH_PORT.fullmatch(text):  # as Azure and IIS write it
        text = found["v6"] or found["v4"]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
