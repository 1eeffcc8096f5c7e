"""An audit that could not ask anybody does not sound like one that found nothing."""

import json
from collections.abc import Mapping

import pytest

from tests.system.audit import FOUND, NOT_AUDITED, Verdict, read, told

SAFE = {"name": "flask", "version": "3.1.3", "vulns": []}
FLAW = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}
WEAK = {"name": "old", "version": "1.0", "vulns": [FLAW]}
SKIPPED = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def verdict(*packages: Mapping[str, object]) -> Verdict:
    return read(json.dumps({"dependencies": packages, "fixes": []}))


@pytest.mark.parametrize("away", [read(""), verdict(), verdict(SKIPPED, SKIPPED)])
def test_a_service_that_judged_nothing_is_said_to_have_judged_nothing(away: Verdict) -> None:
    said, status = told({"pypi": away, "osv": read("")})
    assert status == NOT_AUDITED
    assert said.startswith("NOT AUDITED")
    assert "no vulnerability" not in said


def test_what_is_vulnerable_is_named_with_what_mends_it() -> None:
    said, status = told({"pypi": verdict(SAFE, WEAK)})
    assert status == FOUND
    assert said.splitlines() == ["VULNERABLE", "old 1.0: PYSEC-1, mended in 2.0"]


def test_what_the_service_does_not_know_is_named() -> None:
    assert told({"pypi": verdict(SAFE, SKIPPED)}) == (
        "pypi knows of no vulnerability in 1 packages. NOT AUDITED, since it does not know them: torch.",
        0,
    )


def test_one_service_may_stand_in_for_another() -> None:
    assert told({"pypi": verdict(SKIPPED), "osv": verdict(SAFE)})[1] == 0
