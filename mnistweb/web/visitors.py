"""Visitors: a random id in a signed cookie.

Over TLS the cookie's name begins with `__Host-`, so that no other host of the same domain can set it. Its
value is signed for this name alone. One from plain HTTP is taken while a browser has no better one.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from functools import cache

import orjson
from flask import Flask, Response
from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from mnistweb.current import current_request, current_site, request_state
from mnistweb.web.embedding import cookie_scope
from mnistweb.web.fragments import is_fragment
from mnistweb.web.proxies import client_address
from mnistweb.web.signing import make_signer

COOKIE = "visitor"
HOST_COOKIE = "__Host-visitor"
"""The cookie's name over TLS. Browsers keep it only if it is Secure, for the path / and for no other host."""
ATTRIBUTES = f"Max-Age={365 * 24 * 3600}; HttpOnly; Path=/"


def current_visitor(key: str | None = None) -> str:
    """Return this request's visitor: from the cookie, or a new one, whose cookie the response sets.

    A client without a cookie that retries with the same `key` and IP address gets the same visitor. Its first
    response may have been lost, and the cookie with it. The key is as secret as the cookie.
    """
    state = request_state()
    visitor: str | None = state.get("visitor")
    if visitor is None:
        visitor = known_visitor() or (secrets.token_urlsafe(16) if key is None else _visitor_from_key(key))
        state.visitor = visitor
    return visitor


def known_visitor() -> str:
    """Return this request's visitor from the cookie, or "" for a new one, and set no cookie."""
    state = request_state()
    visitor: str | None = state.get("known_visitor")
    if visitor is None:
        request = current_request()
        names = (HOST_COOKIE, COOKIE) if request.is_secure else (COOKIE,)
        cookies = request.cookies if "HTTP_COOKIE" in request.environ else {}  # as programs have none
        found = (_verified(cookies[name], name) for name in names if name in cookies)
        state.known_visitor = visitor = next(filter(None, found), "")
    return visitor


def signed(visitor: str, name: str = COOKIE) -> str:
    """Return the value of a visitor's cookie, as itsdangerous.URLSafeSerializer would make it."""
    return _signer(name).sign(base64_encode(orjson.dumps(visitor))).decode()


def _verified(cookie: str, name: str) -> str:
    try:
        return str(orjson.loads(base64_decode(_signer(name).unsign(cookie))))
    except BadSignature:
        return ""


def _signer(name: str) -> Signer:
    return _signer_with(current_site().config["SIGNING_KEYS"], name)


@cache
def _signer_with(keys: tuple[str, ...], name: str) -> Signer:
    return make_signer(Signer, keys, name)


def _visitor_from_key(key: str) -> str:
    secret = f"visitor by key {current_site().config['SECRET_KEY']}".encode()
    digest = hmac.digest(secret, f"{client_address(current_request().remote_addr)} {key}".encode(), "sha256")
    return urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def _set_cookie(response: Response) -> Response:
    # Known visitors get it again too, so that it expires a year after the last visit. The script of a page
    # needs no other than the page got. Response.set_cookie would quote, date and measure it, and take as long
    # as all other hooks together.
    state = request_state()
    visitor = state.get("visitor")
    if visitor and not (visitor == state.get("known_visitor") and is_fragment()):
        name = HOST_COOKIE if current_request().is_secure else COOKIE
        response.headers.add("Set-Cookie", f"{name}={signed(visitor, name)}; {ATTRIBUTES}; {cookie_scope()}")
    return response


def init_app(app: Flask) -> None:
    """Set the cookie on responses of views that asked for the visitor."""
    app.after_request(_set_cookie)
