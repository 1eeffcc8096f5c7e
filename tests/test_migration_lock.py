import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, inspect, text

from mnistweb.migration_lock import migration_lock

MIGRATE = [sys.executable, "-c", "from mnistweb.cli import main; main()", "migrate"]


def wait_for_clients(connection: Connection, count: int) -> None:
    """Wait until `count` others are connected to the same database."""
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    for _ in range(600):
        if connection.scalar(others) == count:
            return
        connection.rollback()  # the view is read once per transaction
        time.sleep(0.05)
    pytest.fail(f"{count} processes did not connect")


def test_processes_that_start_at_once_migrate_once(empty_database: Engine, tmp_path: Path) -> None:
    environment = os.environ | {
        "DATABASE_URL": empty_database.url.render_as_string(hide_password=False),
        "INSTANCE_PATH": str(tmp_path),
        "SECRET_KEY": "",
    }
    with empty_database.connect() as connection:
        with migration_lock(connection):
            processes = [
                subprocess.Popen(MIGRATE, env=environment, stderr=subprocess.PIPE, text=True)
                for _ in range(2)
            ]
            wait_for_clients(connection, len(processes))
            time.sleep(0.5)  # long enough to migrate, if they did not wait
            assert inspect(connection).get_table_names() == []
            assert [process.poll() for process in processes] == [None, None]
        for process in processes:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
        assert "prediction" in inspect(connection).get_table_names()


def test_the_lock_is_given_back_after_a_failure(empty_database: Engine) -> None:
    with empty_database.connect() as connection, empty_database.connect() as other:
        with pytest.raises(ZeroDivisionError), migration_lock(connection):
            raise ZeroDivisionError
        with migration_lock(other):
            pass
