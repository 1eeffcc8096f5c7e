"""Exceptions of a database that cannot be reached, or cannot be written to."""

from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

DATABASE_ERRORS = (InterfaceError, InternalError, OperationalError, PoolTimeout)
"""InternalError is that of a server that accepts no writes: a standby, or a former primary."""
