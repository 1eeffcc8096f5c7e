"""Logins of reviewers: a name in a signed cookie, for an hour after its last use.

Its signature depends on the password's hash, so that a new password ends all logins.
"""

import json
import time
from functools import cache

from flask import Blueprint, Flask, Response, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, TimestampSigner
from itsdangerous.encoding import base64_decode, base64_encode

from mnistweb.recognition.errors import UserError
from mnistweb.web.fragments import is_fragment
from mnistweb.web.security_headers import document_headers
from mnistweb.web.signing import make_signer

COOKIE, HOST_COOKIE = "review", "__Host-review"
"""The cookie's names over plain HTTP and over TLS, where browsers keep it for this very host alone."""
IDLE = 3600
"""Seconds after which an unused login ends."""
LONGEST = 12 * 3600
"""Seconds after which any login ends."""
RENEWAL = 60
"""Seconds of use after which a login is renewed: pictures that still arrive must not undo a logout."""
ATTRIBUTES = "HttpOnly; Path=/; SameSite=Strict"


class LoggedOut(UserError):
    """A decision without a login."""

    def __init__(self) -> None:
        super().__init__("logged_out", "You are no longer logged in. Reload the page to log in again.")


def is_configured() -> bool:
    """Return whether this site has a review."""
    return bool(current_app.config["REVIEW_PASSWORD_HASH"])


def reviewer() -> str:
    """Return the name of the reviewer who is logged in, or ""."""
    return _login()[0]


def log_in(name: str) -> None:
    """Have the response set the cookie of a new login."""
    g.review_login = g.review_renewal = name, int(time.time())


def log_out() -> None:
    """Have the response delete the cookie."""
    g.review_login = g.review_renewal = "", 0


def protect(blueprint: Blueprint) -> None:
    """Let only reviewers see the pages of a blueprint, and forbid caching and framing."""
    blueprint.before_request(_require_login)
    keep_private(blueprint)


def keep_private(blueprint: Blueprint) -> None:
    """Answer with 404 on a site without a review, renew the login, and forbid caching and framing."""
    blueprint.before_request(_require_password)
    blueprint.after_request(_finish)


def init_app(app: Flask) -> None:
    """Let templates ask who is logged in."""
    app.jinja_env.globals["reviewer"] = reviewer


def _require_password() -> None:
    if not is_configured():
        abort(404)


def _require_login() -> ResponseReturnValue | None:
    if not is_configured():
        abort(404)
    if reviewer():
        return None
    if request.method == "POST" or is_fragment():
        raise LoggedOut
    return redirect(url_for("review_login.form"))


def _finish(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(document_headers(request.scheme))
    if "review_renewal" in g:
        name, since = g.review_renewal
        value, age = (_signed(name, since), IDLE) if name else ("", 0)
        secure = "; Secure" if request.is_secure else ""
        response.headers.add("Set-Cookie", f"{_name()}={value}; Max-Age={age}; {ATTRIBUTES}{secure}")
    return response


def _login() -> tuple[str, int]:
    """Return the reviewer's name and the time of the login, or "" and 0."""
    login: tuple[str, int] | None = g.get("review_login")
    if login is None:
        cookie = request.cookies.get(_name(), "")
        login = g.review_login = _verified(cookie) if cookie and is_configured() else ("", 0)
    return login


def _verified(cookie: str) -> tuple[str, int]:
    try:
        value, signed_at = _signer().unsign(cookie, IDLE, return_timestamp=True)
    except BadSignature:
        return "", 0
    name, since = json.loads(base64_decode(value))
    now = time.time()
    if now > since + LONGEST:
        return "", 0
    if now > signed_at.timestamp() + RENEWAL:
        g.review_renewal = name, since
    return name, since


def _signed(name: str, since: int) -> str:
    return _signer().sign(base64_encode(json.dumps([name, since]))).decode()


def _name() -> str:
    return HOST_COOKIE if request.is_secure else COOKIE


def _signer() -> TimestampSigner:
    config = current_app.config
    return _signer_with(config["SIGNING_KEYS"], f"{_name()} {config['REVIEW_PASSWORD_HASH']}")


@cache
def _signer_with(keys: tuple[str, ...], salt: str) -> TimestampSigner:
    return make_signer(TimestampSigner, keys, salt)
