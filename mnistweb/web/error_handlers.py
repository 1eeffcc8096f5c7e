"""Error handlers: a code for programs and a sentence for people, as HTML or JSON."""

from flask import Flask, Response, g, jsonify, make_response, render_template
from sqlalchemy.orm.exc import ObjectDeletedError
from werkzeug.exceptions import BadHost, HTTPException, SecurityError

from mnistweb.database.errors import DATABASE_ERRORS
from mnistweb.database.outage_log import report_outage
from mnistweb.observability.request_ids import current_id
from mnistweb.predictions.errors import NotFound
from mnistweb.recognition.errors import UserError
from mnistweb.web.form_tokens import CookieMissing, FormRefused
from mnistweb.web.fragments import is_fragment, wants_json

STATUS = {
    "missing_image": 400,
    "not_base64": 400,
    "unreadable_image": 400,
    "image_too_large": 413,
    "too_many_pixels": 413,
    "unsupported_media_type": 415,
    "already_drawn": 409,
    "animated_image": 422,
    "challenge_mismatch": 409,
    "challenge_over": 409,
    "empty_drawing": 422,
    "feedback_mismatch": 409,
    "invalid_cursor": 400,
    "invalid_filter": 400,
    "idempotency_key_reused": 422,
    "invalid_idempotency_key": 400,
    "invalid_json": 400,
    "invalid_label": 422,
    "invalid_limit": 400,
    "invalid_sort": 400,
    "invalid_strokes": 422,
    "logged_out": 403,
    "not_found": 404,
    "nothing_inside": 404,
    "unknown_model": 422,
    "model_busy": 503,
    "model_nonsense": 503,
    "model_rate_limited": 503,
    "model_refused": 503,
    "model_timeout": 503,
    "model_unavailable": 503,
}
HTTP_ERRORS = {
    400: ("bad_request", "The server didn’t understand this request."),
    401: ("unauthorized", "You need a token for this."),
    403: ("forbidden", "Only this site’s own pages may ask for this."),
    404: ("not_found", "There is no page at this address."),
    405: ("method_not_allowed", "This address doesn’t take this kind of request."),
    413: ("image_too_large", "The picture is too large."),
    415: ("unsupported_media_type", "This content type is not supported."),
    429: ("rate_limited", "Too many requests. Please wait a minute."),
    500: ("internal_error", "Something went wrong on our side. It has been logged."),
    503: ("overloaded", "The server is busy. Please try again in a few seconds."),
}
UNTRUSTED_HOST = "This site doesn’t answer to that name."
FORM_REFUSED = ("csrf", "This page has been open too long. Reload it; your drawing stays.")
COOKIE_MISSING = (
    "cookie_missing",
    "Your browser didn’t send this site’s cookie. Reload the page; your drawing stays."
    " If that doesn’t help, allow cookies for this site.",
)
DATABASE_ERROR = (
    "database_unavailable",
    "The database is unavailable right now. Please try again soon.",
)


def respond(code: str, message: str, status: int) -> Response:
    """Render one error in the format that the client accepts: JSON, a fragment, or a page."""
    g.error_code = code
    if wants_json():
        error = {"code": code, "message": message}
        if status >= 500:  # to quote to the operator, who finds it in the log
            error["request_id"] = current_id() or ""
        return make_response(jsonify(error=error), status)
    template = "errors/_notice.html" if is_fragment() else "errors/page.html"
    return make_response(
        render_template(template, code=code, message=message, status=status, request_id=current_id()), status
    )


def _words(error: HTTPException, status: int) -> tuple[str, str]:
    if isinstance(error, CookieMissing):
        return COOKIE_MISSING
    return FORM_REFUSED if isinstance(error, FormRefused) else HTTP_ERRORS.get(status, HTTP_ERRORS[400])


def init_app(app: Flask) -> None:
    """Register the handlers of all errors."""

    @app.errorhandler(UserError)
    def user_error(error: UserError) -> Response:
        return respond(error.code, str(error), STATUS[error.code])

    @app.errorhandler(ObjectDeletedError)
    def deleted(_: ObjectDeletedError) -> Response:
        # Between the reading of its row and that of a deferred column.
        return user_error(NotFound())

    def database_error(error: Exception) -> Response:
        report_outage("The database failed:", error)
        response = respond(*DATABASE_ERROR, 503)
        response.headers["Retry-After"] = "5"
        return response

    for error_class in DATABASE_ERRORS:
        app.register_error_handler(error_class, database_error)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if isinstance(error, SecurityError | BadHost):
            # A page would need URLs, and Flask builds them from the host.
            return make_response(jsonify(error={"code": "untrusted_host", "message": UNTRUSTED_HOST}), 400)
        status = error.code or 500
        code, message = _words(error, status)
        response = respond(code, message, status)
        # For example Allow, which a 405 requires.
        response.headers.extend((key, value) for key, value in error.get_headers() if key != "Content-Type")
        return response
