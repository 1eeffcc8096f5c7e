"""The login of reviewers: one password for all, and a name that is kept with their decisions."""

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.security import check_password_hash

from mnistweb.review import session

blueprint = Blueprint("review_login", __name__, url_prefix="/review")
session.keep_private(blueprint)
LONGEST_NAME = 64
LONGEST_PASSWORD = 1024
"""Characters that are hashed, at most."""


@blueprint.get("/login")
def form() -> ResponseReturnValue:
    """Ask for name and password."""
    if session.reviewer():
        return redirect(url_for("review.index"))
    return _form()


@blueprint.post("/login")
def log_in() -> ResponseReturnValue:
    """Log in, or say what is wrong."""
    name = " ".join(request.form.get("name", "").split())
    password = request.form.get("password", "")[:LONGEST_PASSWORD]
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return _form(name, f"Please give a name of at most {LONGEST_NAME} characters."), 422
    if not check_password_hash(current_app.config["REVIEW_PASSWORD_HASH"], password):
        return _form(name, "That isn’t the password."), 403
    session.log_in(name)
    return redirect(url_for("review.index"), 303)


@blueprint.post("/logout")
def log_out() -> ResponseReturnValue:
    """Log out."""
    session.log_out()
    return redirect(url_for(".form"), 303)


def _form(name: str = "", failure: str = "") -> str:
    return render_template("review/login.html", name=name, failure=failure, longest_name=LONGEST_NAME)
