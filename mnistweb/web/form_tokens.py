"""Form tokens: proof that a form was sent from one of this site's pages, by the visitor it was made for."""

from functools import cache
from urllib.parse import urlsplit

from flask import Flask
from itsdangerous import BadSignature, TimestampSigner
from werkzeug.exceptions import BadRequest

from mnistweb.current import current_request, current_site, request_state
from mnistweb.web.signing import make_signer
from mnistweb.web.visitors import current_visitor, known_visitor

FIELD, HEADER = "csrf_token", "X-CSRFToken"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
EXEMPT = {"api", "live_guess"}
"""Blueprints that no form of another site can reach, because of the media types that they ask for."""
MAX_AGE = 24 * 3600
"""Seconds in which a form must be sent."""


class FormRefused(BadRequest):
    """A form without a valid token."""


class CookieMissing(FormRefused):
    """A form from a browser that did not send the visitor's cookie, which every page with a form sets."""


def form_token() -> str:
    """Return the token for this request's visitor."""
    state = request_state()
    token: str | None = state.get("form_token")
    if token is None:
        token = state.form_token = token_for(current_visitor())
    return token


def token_for(visitor: str) -> str:
    """Return a token for this visitor: the time, and a signature of both."""
    return _signer().sign(visitor).decode().removeprefix(f"{visitor}.")


def init_app(app: Flask) -> None:
    """Check the token of every form, and let templates make one."""
    app.before_request(_check)
    app.jinja_env.globals["csrf_token"] = form_token


def _check() -> None:
    request = current_request()
    if request.method in SAFE_METHODS or not request.endpoint or request.blueprint in EXEMPT:
        return
    visitor = known_visitor()
    if not visitor:
        raise CookieMissing
    token = request.headers.get(HEADER) or request.form.get(FIELD, "")
    try:
        _signer().unsign(f"{visitor}.{token}", MAX_AGE)
    except BadSignature:
        raise FormRefused from None
    if request.is_secure and not _is_from_here():
        raise FormRefused


def _is_from_here() -> bool:
    request = current_request()
    source = request.headers.get("Origin") or request.referrer or ""
    try:
        return urlsplit(source)[:2] == (request.scheme, request.host)
    except ValueError:  # half an IPv6 address
        return False


def _signer() -> TimestampSigner:
    return _signer_with(current_site().config["SIGNING_KEYS"])


@cache
def _signer_with(keys: tuple[str, ...]) -> TimestampSigner:
    return make_signer(TimestampSigner, keys, "form")
