"""Visitors: a random id in a signed cookie."""

import hmac
import secrets
from base64 import urlsafe_b64encode
from functools import cache

from flask import Flask, Response, current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer

from mnistweb.web.embedding import cookie_attributes

COOKIE = "visitor"
COOKIE_MAX_AGE = 365 * 24 * 3600  # seconds


def _signer() -> URLSafeSerializer:
    return _signer_with(current_app.secret_key or "")


@cache
def _signer_with(key: str | bytes) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="visitor")


def current_visitor(key: str | None = None) -> str:
    """Return this request's visitor: from the cookie, or a new one, whose cookie the response sets.

    A client without a cookie that retries with the same `key` and IP address gets the same visitor. Its first
    response may have been lost, and the cookie with it. The key is as secret as the cookie.
    """
    if "visitor" not in g:
        g.visitor = known_visitor() or (secrets.token_urlsafe(16) if key is None else _visitor_from_key(key))
    return str(g.visitor)


def known_visitor() -> str:
    """Return this request's visitor from the cookie, or "" for a new one, and set no cookie."""
    if "known_visitor" not in g:
        cookie = request.cookies.get(COOKIE)
        try:
            g.known_visitor = str(_signer().loads(cookie)) if cookie else ""
        except BadSignature:
            g.known_visitor = ""
    return str(g.known_visitor)


def _visitor_from_key(key: str) -> str:
    secret = f"visitor by key {current_app.config['SECRET_KEY']}".encode()
    digest = hmac.digest(secret, f"{request.remote_addr} {key}".encode(), "sha256")
    return urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def _set_cookie(response: Response) -> Response:
    # Known visitors get it again too, so that it expires a year after the last visit.
    if "visitor" in g:
        response.set_cookie(
            COOKIE,
            str(_signer().dumps(g.visitor)),
            max_age=COOKIE_MAX_AGE,
            httponly=True,
            **cookie_attributes(),
        )
    return response


def init_app(app: Flask) -> None:
    """Set the cookie on responses of views that asked for the visitor."""
    app.after_request(_set_cookie)
