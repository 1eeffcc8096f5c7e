"""The switch of `make check`, which tries fewer examples than `make test`."""

import os

QUICK = bool(os.environ.get("QUICK"))
"""True if the tests are to be quick."""
