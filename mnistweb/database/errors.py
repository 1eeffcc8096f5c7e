"""Exceptions of a database that cannot be reached."""

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

DATABASE_ERRORS = (InterfaceError, OperationalError, PoolTimeout)
