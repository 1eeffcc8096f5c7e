"""mnistweb: a digit is drawn in the browser, and a convolutional network says which one it sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

# Flask is imported by the functions, not by the package: recognition, training and their commands do without.


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """The site, configured by `settings` (default: the process environment and `.env`).

    Raises ConfigError for a setting outside its range, ModelFileError for a network that cannot be used.
    """
    from werkzeug.middleware.proxy_fix import ProxyFix

    from mnistweb.api import docs as api_description
    from mnistweb.api import views as api
    from mnistweb.database import timeouts as deadline
    from mnistweb.draw import live_guess as guess
    from mnistweb.draw import my_drawings as own
    from mnistweb.draw import views as pages
    from mnistweb.explain import views as inside_pages
    from mnistweb.extensions import csrf
    from mnistweb.history import views as history
    from mnistweb.insights import views as insight_pages
    from mnistweb.observability import access_log as journal
    from mnistweb.observability import request_ids
    from mnistweb.registry import recognizers as networks
    from mnistweb.registry import views as network_pages
    from mnistweb.web import error_handlers as errors
    from mnistweb.web import health, visitors
    from mnistweb.web import load_shedding as overload
    from mnistweb.web import rate_limits as limits
    from mnistweb.web import security_headers as responses

    app = create_database_app(settings)
    if app.config["OTEL_EXPORTER_OTLP_ENDPOINT"]:
        from mnistweb.observability import tracing

        tracing.init_app(app)
    deadline.install()
    request_ids.init_app(app)
    journal.init_app(app)
    limits.init_app(app)
    overload.init_app(app)
    csrf.init_app(app)
    networks.init_app(app)
    visitors.init_app(app)
    responses.init_app(app)
    errors.init_app(app)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(own.blueprint)
    app.register_blueprint(history.blueprint)
    app.register_blueprint(network_pages.blueprint)
    app.register_blueprint(insight_pages.blueprint)
    app.register_blueprint(inside_pages.blueprint)
    app.register_blueprint(guess.blueprint)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(api_description.blueprint)
    app.register_blueprint(health.blueprint)
    if app.config["METRICS_TOKEN"]:
        from mnistweb.observability import metrics

        metrics.init_app(app)
    csrf.exempt(api.blueprint)
    csrf.exempt(guess.blueprint)
    if hops := app.config["PROXY_HOPS"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def create_database_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """The site's configuration and database alone: enough to migrate with, and made without loading torch."""
    from flask import Flask

    from mnistweb import config
    from mnistweb.database import circuit_breaker as outage
    from mnistweb.database import pool as liveness
    from mnistweb.extensions import db, migrate

    root, files = config.project_root(), config.site_files()
    values = config.load(config.environment() if settings is None else settings)
    instance = root / values["INSTANCE_PATH"]
    instance.mkdir(parents=True, exist_ok=True)
    app = Flask(
        __name__,
        root_path=str(root),
        instance_path=str(instance),
        template_folder=str(files / "templates"),
        static_folder=str(files / "static"),
    )
    app.config.update(config.for_flask(values, instance))
    db.init_app(app)
    with app.app_context():
        outage.watch(db.engine)
        liveness.watch(db.engine)
    migrate.init_app(app, db, directory=str(files / "migrations"), render_as_batch=True)
    return app
