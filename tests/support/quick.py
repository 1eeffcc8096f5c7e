"""Whether the tests run quickly, with fewer examples each: `make check` sets QUICK, `make test` does not."""

import os

QUICK = bool(os.environ.get("QUICK"))
