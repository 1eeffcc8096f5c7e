"""Who draws: a random id in a signed cookie, nothing more."""

import secrets

from flask import Flask, Response, current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer

COOKIE = "visitor"
ONE_YEAR = 365 * 24 * 3600


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="visitor")


def current_visitor() -> str:
    """This request's visitor: from the cookie, or a new one, whose cookie the response will set."""
    if "visitor" not in g:
        g.visitor = known_visitor() or secrets.token_urlsafe(16)
    return str(g.visitor)


def known_visitor() -> str:
    """This request's visitor, empty for a new one: whoever only looks around gets no cookie for it."""
    if "known_visitor" not in g:
        try:
            g.known_visitor = str(_signer().loads(request.cookies.get(COOKIE, "")))
        except BadSignature:
            g.known_visitor = ""
    return str(g.known_visitor)


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
