"""Runs the migrations on the database of the current application."""

from alembic import context
from flask import current_app

from mnistweb.extensions import db
from mnistweb.migration_lock import migration_lock

with db.engine.connect() as connection, migration_lock(connection):
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
