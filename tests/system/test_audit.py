"""An audit without an answer is not reported as a good result."""

import json
from collections.abc import Mapping

import pytest

from tests.system.audit import NOT_AUDITED, VULNERABLE, Verdict, read, report

SAFE = {"name": "flask", "version": "3.1.3", "vulns": []}
FLAW = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}
WEAK = {"name": "old", "version": "1.0", "vulns": [FLAW]}
SKIPPED = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def verdict(*packages: Mapping[str, object]) -> Verdict:
    return read(json.dumps({"dependencies": packages, "fixes": []}))


@pytest.mark.parametrize("unanswered", [read(""), verdict(), verdict(SKIPPED, SKIPPED)])
def test_unanswered_audit_is_reported_as_not_audited(unanswered: Verdict) -> None:
    text, status = report({"pypi": unanswered, "osv": read("")})
    assert status == NOT_AUDITED
    assert text.startswith("NOT AUDITED")
    assert "no vulnerability" not in text


def test_vulnerability_is_reported_with_its_fix() -> None:
    text, status = report({"pypi": verdict(SAFE, WEAK)})
    assert status == VULNERABLE
    assert text.splitlines() == ["VULNERABLE", "old 1.0: PYSEC-1, fixed in 2.0"]


def test_unknown_packages_are_reported() -> None:
    assert report({"pypi": verdict(SAFE, SKIPPED)}) == (
        "pypi knows of no vulnerability in 1 packages. NOT AUDITED, since it does not know them: torch.",
        0,
    )


def test_second_service_is_enough() -> None:
    assert report({"pypi": verdict(SKIPPED), "osv": verdict(SAFE)})[1] == 0
