"""The application factory."""

from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response
from flask.ctx import RequestContext
from flask.templating import Environment
from werkzeug.datastructures import Headers
from werkzeug.routing import MapAdapter

from mnistweb import config
from mnistweb.api import docs as api_docs
from mnistweb.api import views as api
from mnistweb.challenge import views as challenge
from mnistweb.database import timeouts
from mnistweb.database.engine import fail_fast, keep_private
from mnistweb.database.failover import replace_connections
from mnistweb.database.pool import pre_ping
from mnistweb.draw import live_guess, my_drawings
from mnistweb.draw import views as draw
from mnistweb.explain import views as explain
from mnistweb.extensions import db, migrate
from mnistweb.formatting import percent, utc
from mnistweb.history import media, prediction
from mnistweb.history import views as history
from mnistweb.insights import views as insights
from mnistweb.observability import access_log, request_ids
from mnistweb.predictions import drift, wording
from mnistweb.registry import recognizers
from mnistweb.registry import views as registry
from mnistweb.review import decisions, login
from mnistweb.review import session as review_session
from mnistweb.review import views as review
from mnistweb.web import (
    access,
    download_places,
    error_handlers,
    form_tokens,
    health,
    load_shedding,
    module_preload,
    rate_limits,
    security_headers,
    static_files,
    visitors,
)
from mnistweb.web.addresses import address_of
from mnistweb.web.form_parser import SiteRequest
from mnistweb.web.json_provider import JSONProvider
from mnistweb.web.proxies import TrustedProxies

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PAGES = (
    *(draw, my_drawings, live_guess, challenge, history, prediction, media, registry, insights, explain),
    *(review, decisions, login),
)


PROBED = ("/healthz", "/readyz", "/metrics")
"""Paths that machines ask for by an address. Nothing that they answer depends on a host's name."""


class Templates(Environment):
    """Jinja's environment, with the globals of templates in one dictionary. A rendering copies it."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template. Jinja's chain of dictionaries is slow to copy."""
        return {**self.globals, **(d or {})}


class SiteResponse(Response):
    """A response, with the address of what was created as the view wrote it."""

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Return the headers. Werkzeug would parse and quote an address that needs neither."""
        created = self.headers.pop("Location", None) if self.status_code == HTTPStatus.CREATED else None
        headers = super().get_wsgi_headers(environ)
        if created:
            headers["Location"] = created
        return headers


class Site(Flask):
    """The application. None of its views and hooks is asynchronous, and Flask need not check each of them."""

    jinja_environment = Templates
    json_provider_class = JSONProvider
    request_class = SiteRequest
    response_class = SiteResponse

    def request_context(self, environ: "WSGIEnvironment") -> RequestContext:
        """Return the context of a request, with the name of its host in lower case, as hosts are compared.

        For probes it is one that TRUSTED_HOSTS always includes.
        """
        if "HTTP_HOST" in environ:
            probed = environ.get("PATH_INFO") in PROBED
            environ["HTTP_HOST"] = "localhost" if probed else environ["HTTP_HOST"].lower()
        return super().request_context(environ)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Bind the routes to a request. Flask would read the host's name twice, and look for subdomains."""
        if request is None:
            return super().create_url_adapter(None)
        request.trusted_hosts = self.config["TRUSTED_HOSTS"]
        return self.url_map.bind(
            request.host,
            request.root_path,
            url_scheme=request.scheme,
            default_method=request.method,
            path_info=request.path if request.environ.get("PATH_INFO") else "",
            query_args=request.query_string.decode(errors="replace"),
        )

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function itself."""
        return func


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """Create the site, configured by `settings` (default: the process environment and `.env`).

    Raises ConfigError for a setting outside its range, ModelFileError for a missing or corrupt model.
    """
    app = create_database_app(settings)
    trace = _start_tracing(app)
    timeouts.install()
    for hooks in (access_log, rate_limits, load_shedding, download_places, form_tokens):  # in calling order
        hooks.init_app(app)
    recognizers.init_app(app, identify=request_ids.current_id, trace=trace)
    for hooks in (
        *(access, visitors, review_session, security_headers, error_handlers, module_preload),
        static_files,
    ):
        hooks.init_app(app)
    app.jinja_env.filters.update(percent=percent, utc=utc)
    app.jinja_env.globals.update(describe=wording.describe, name_of=wording.name_of, bars_of=wording.bars_of)
    app.jinja_env.globals.update(with_article=wording.with_article, page_of=prediction.page_of)
    app.jinja_env.globals.update(address_of=address_of, cached=lru_cache(maxsize=1000))
    app.jinja_env.globals["threshold_of"] = lambda answer: recognizers.refusal_threshold(
        answer.model, answer.model_version
    )
    for module in (*PAGES, api, api_docs, health):
        app.register_blueprint(module.blueprint)
    _start_metrics(app)
    if hops := app.config["PROXY_HOPS"]:
        app.wsgi_app = TrustedProxies(app, hops)  # type: ignore[method-assign]
    return app


def create_database_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """Create an application with configuration and database only, without torch: enough for migrations."""
    root, files = config.project_root(), config.site_files()
    values = config.load(config.environment() if settings is None else settings)
    instance = config.make_instance(root / values["INSTANCE_PATH"])
    app = Site(
        "mnistweb",
        root_path=str(root),
        instance_path=str(instance),
        template_folder=str(files / "templates"),
        static_folder=str(files / "static"),
    )
    app.url_map.merge_slashes = False  # Werkzeug would redirect to whatever host the request names
    app.config.update(config.for_flask(values, instance))
    db.init_app(app)
    with app.app_context():
        keep_private(db.engine)
        fail_fast(db.engine)
        pre_ping(db.engine)
        replace_connections(db.engine)
    migrate.init_app(app, db, directory=str(files / "migrations"), render_as_batch=True)
    return app


def _start_tracing(app: Flask) -> Callable[[], Mapping[str, str]]:
    # Imported only if configured: OpenTelemetry is an extra.
    if not app.config["OTEL_EXPORTER_OTLP_ENDPOINT"]:
        return dict
    from mnistweb.observability import tracing

    with app.app_context():
        tracing.init_app(app, db.engine)
    return tracing.trace_headers


def _start_metrics(app: Flask) -> None:
    # Imported only if configured: the environment must name the folder of the counters before the import.
    if not app.config["METRICS_TOKEN"]:
        return
    from mnistweb.observability import metrics

    with app.app_context():
        metrics.init_app(app, db.engine, drift.sizes)
