"""Who draws: a random id in a signed cookie, nothing more."""

import hmac
import secrets
from base64 import urlsafe_b64encode
from functools import cache

from flask import Flask, Response, current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer

COOKIE = "visitor"
ONE_YEAR = 365 * 24 * 3600


def _signer() -> URLSafeSerializer:
    return _signer_with(current_app.secret_key or "")


@cache
def _signer_with(key: str | bytes) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="visitor")


def current_visitor(key: str | None = None) -> str:
    """This request's visitor: from the cookie, or a new one, whose cookie the response will set.

    A new one who comes with the same `key` from the same address again, having lost the answer and the cookie
    in it, is the same. The key is as secret as the cookie.
    """
    if "visitor" not in g:
        g.visitor = known_visitor() or (secrets.token_urlsafe(16) if key is None else _visitor_of(key))
    return str(g.visitor)


def known_visitor() -> str:
    """This request's visitor, empty for a new one: whoever only looks around gets no cookie for it."""
    if "known_visitor" not in g:
        cookie = request.cookies.get(COOKIE)
        try:
            g.known_visitor = str(_signer().loads(cookie)) if cookie else ""
        except BadSignature:
            g.known_visitor = ""
    return str(g.known_visitor)


def _visitor_of(key: str) -> str:
    secret = f"visitor by key {current_app.config['SECRET_KEY']}".encode()
    found = hmac.digest(secret, f"{request.remote_addr} {key}".encode(), "sha256")
    return urlsafe_b64encode(found[:16]).decode().rstrip("=")


def _set_cookie(response: Response) -> Response:
    # Also for a visitor who already has it, so that the year starts again with every visit.
    if "visitor" in g:
        response.set_cookie(
            COOKIE,
            str(_signer().dumps(g.visitor)),
            max_age=ONE_YEAR,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
    return response


def init_app(app: Flask) -> None:
    """Set the cookie of every visitor that a view asked for."""
    app.after_request(_set_cookie)
