"""`make audit`: known vulnerabilities of the installed packages. No answer counts as a failure."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

# A mirror of the package index may not know vulnerabilities, so OSV is the second service.
SERVICES = ("pypi", "osv")
VULNERABLE, NOT_AUDITED = 1, 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """Number of checked packages, vulnerabilities found, and packages that the service does not know."""

    checked: int
    vulnerable: list[str]
    unknown: list[str]


def _versions(flaw: dict[str, Any]) -> str:
    return ", ".join(flaw["fix_versions"]) or "no version"


def read(report: str) -> Verdict:
    """Read pip-audit's JSON; an empty report means that no package was checked."""
    packages = json.loads(report)["dependencies"] if report.strip() else []
    checked = [each for each in packages if "skip_reason" not in each]
    vulnerable = [
        f"{each['name']} {each['version']}: {flaw['id']}, fixed in {_versions(flaw)}"
        for each in checked
        for flaw in each["vulns"]
    ]
    return Verdict(len(checked), vulnerable, [each["name"] for each in packages if "skip_reason" in each])


def report(verdicts: dict[str, Verdict]) -> tuple[str, int]:
    """Return the message about the services' verdicts, and the exit status."""
    vulnerable = [line for verdict in verdicts.values() for line in verdict.vulnerable]
    if vulnerable:
        return "\n".join(["VULNERABLE", *vulnerable]), VULNERABLE
    service, best = max(verdicts.items(), key=lambda item: item[1].checked)
    if best.checked == 0:
        return (
            f"NOT AUDITED: no service could be asked ({', '.join(verdicts)}). Whether the packages that are "
            "installed have known vulnerabilities is not known.",
            NOT_AUDITED,
        )
    text = f"{service} knows of no vulnerability in {best.checked} packages."
    if best.unknown:
        text += f" NOT AUDITED, since it does not know them: {', '.join(best.unknown)}."
    return text, 0


def ask(service: str) -> Verdict:
    """Run pip-audit with one service, for all installed packages except mnistweb."""
    command = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--timeout", "5"]
    options = ["--progress-spinner", "off", "--format", "json", "--vulnerability-service", service]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    verdict = read(done.stdout)
    if not verdict.checked:
        # pip-audit itself would print "No known vulnerabilities found" if it could check nothing.
        why = (
            f"it knows none of {len(verdict.unknown)} packages"
            if verdict.unknown
            else done.stderr.strip()[-200:]
        )
        print(f"{service}: {why}", file=sys.stderr)
    return verdict


def main() -> int:
    verdicts = {}
    for service in SERVICES:
        verdicts[service] = ask(service)
        if verdicts[service].checked:
            break
    text, status = report(verdicts)
    print(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
