"""`make constraints`: convert a report of `pip install --dry-run` to a constraints file."""

import json
import re
import sys

OLDEST = (3, 11)  # the oldest supported Python; newer ones can use its versions too
HEADER = """\
# Versions that `make` and the image install. To renew them: make constraints
# Left out: pip, and torch and torchvision with their own dependencies, since each index has its own builds.
"""
LEFT_OUT = re.compile(r"mnistweb|torch|torchvision|triton|cuda-.*|nvidia-.*|pip|setuptools")


def constraints(report: str) -> str:
    """Return the constraints file for `report`: one version a line, by normalised names."""
    found = [each["metadata"] for each in json.loads(report)["install"]]
    pins = {re.sub(r"[-_.]+", "-", each["name"]).lower(): each["version"] for each in found}
    lines = (f"{name}=={pins[name]}\n" for name in sorted(pins) if not LEFT_OUT.fullmatch(name))
    return HEADER + "".join(lines)


if __name__ == "__main__":
    if sys.version_info[:2] != OLDEST:
        sys.exit("Constraints are made with the oldest supported Python: make constraints PYTHON=python3.11")
    sys.stdout.write(constraints(sys.stdin.read()))
