"""Errors of data sets."""


class DataSetError(Exception):
    """An export or an import that failed and changed nothing; the message says why."""
