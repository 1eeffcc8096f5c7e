"""`deploy/create-role.sql`: the site's role in a new volume of PostgreSQL."""

import os
import subprocess
from pathlib import Path

import flask_migrate
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from mnistweb.app import create_database_app
from mnistweb.extensions import db
from tests.support.postgres import own_server, programs
from tests.support.sites import SECRET

pytestmark = [
    pytest.mark.process,
    pytest.mark.postgres,
    pytest.mark.skipif(programs() is None, reason="PostgreSQL's programs are not installed"),
]
SCRIPT = Path(__file__).parents[2] / "deploy" / "create-role.sql"
PASSWORD = "any/character@may:stand#here'\"$(x)"


def test_role_owns_its_database_and_is_no_superuser(tmp_path: Path) -> None:
    found = programs()
    assert found
    with own_server(found, durable=False) as server:
        url = make_url(server).set(drivername="postgresql+psycopg2")
        environment = os.environ | {
            "PATH": f"{found}:{os.environ['PATH']}",
            "PGHOST": str(url.host),
            "PGPORT": str(url.port),
            "POSTGRES_PASSWORD": PASSWORD,
        }
        # As PostgreSQL's image does it.
        command = ["psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-U", "postgres", "-f", str(SCRIPT)]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        engine = create_engine(url)
        with engine.connect() as connection:
            role = connection.execute(text("SELECT * FROM pg_roles WHERE rolname = 'mnistweb'")).one()
            rights = (role.rolsuper, role.rolcreatedb, role.rolcreaterole, role.rolreplication)
            assert not any(rights)
            owner = text("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'mnistweb'")
            assert connection.scalar(owner) == "mnistweb"
            without = text("SELECT rolname FROM pg_authid WHERE rolcanlogin AND rolpassword IS NULL")
            assert list(connection.scalars(without)) == ["postgres"]
        engine.dispose()
        own = url.set(username="mnistweb", database="mnistweb")
        settings = {
            "DATABASE_URL": own.render_as_string(hide_password=False),
            "INSTANCE_PATH": str(tmp_path),
            "SECRET_KEY": SECRET,
        }
        with create_database_app(settings).app_context():
            flask_migrate.upgrade()
            with db.engine.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
                connection.execute(text("SELECT * FROM pg_authid"))
            db.engine.dispose()
