"""Errors of data sets."""


class DataSetError(Exception):
    """An export or an import that failed; the message says why, and what it changed if anything."""
