"""`make constraints`: the versions of a report that `pip install --dry-run` wrote, as a constraints file."""

import json
import re
import sys

OLDEST = (3, 11)  # what it can run, newer ones can too
HEADER = """\
# What `make` and the image install. To renew it: make constraints
# Left out: pip, and torch and torchvision with what only they need, since each index has its own builds.
"""
LEFT_OUT = re.compile(r"mnistweb|torch|torchvision|triton|cuda-.*|nvidia-.*|pip|setuptools")


def constraints(report: str) -> str:
    """The file for `report`, one version a line, by names as package indexes normalise them."""
    found = [each["metadata"] for each in json.loads(report)["install"]]
    pins = {re.sub(r"[-_.]+", "-", each["name"]).lower(): each["version"] for each in found}
    lines = (f"{name}=={pins[name]}\n" for name in sorted(pins) if not LEFT_OUT.fullmatch(name))
    return HEADER + "".join(lines)


if __name__ == "__main__":
    if sys.version_info[:2] != OLDEST:
        sys.exit("Versions are chosen by the oldest Python that will do: make constraints PYTHON=python3.11")
    sys.stdout.write(constraints(sys.stdin.read()))
