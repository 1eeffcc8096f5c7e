"""`make audit`: known vulnerabilities of what is installed. No answer is not a good answer."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

# A package index may stand in for PyPI that knows nothing of vulnerabilities; OSV is the other service.
SERVICES = ("pypi", "osv")
FOUND, NOT_AUDITED = 1, 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many packages were judged, what was found, and which ones the service did not judge."""

    judged: int
    vulnerable: list[str]
    unknown: list[str]


def _versions(flaw: dict[str, Any]) -> str:
    return ", ".join(flaw["fix_versions"]) or "no version"


def read(report: str) -> Verdict:
    """The verdict of pip-audit's JSON; of nothing, where it wrote none."""
    packages = json.loads(report)["dependencies"] if report.strip() else []
    labelled = [each for each in packages if "skip_reason" not in each]
    vulnerable = [
        f"{each['name']} {each['version']}: {flaw['id']}, mended in {_versions(flaw)}"
        for each in labelled
        for flaw in each["vulns"]
    ]
    return Verdict(len(labelled), vulnerable, [each["name"] for each in packages if "skip_reason" in each])


def told(verdicts: dict[str, Verdict]) -> tuple[str, int]:
    """What to say of the services' verdicts, and the exit status."""
    vulnerable = [line for verdict in verdicts.values() for line in verdict.vulnerable]
    if vulnerable:
        return "\n".join(["VULNERABLE", *vulnerable]), FOUND
    service, best = max(verdicts.items(), key=lambda item: item[1].judged)
    if best.judged == 0:
        return (
            f"NOT AUDITED: no service could be asked ({', '.join(verdicts)}). Whether the packages that are "
            "installed have known vulnerabilities is not known.",
            NOT_AUDITED,
        )
    said = f"{service} knows of no vulnerability in {best.judged} packages."
    if best.unknown:
        said += f" NOT AUDITED, since it does not know them: {', '.join(best.unknown)}."
    return said, 0


def ask(service: str) -> Verdict:
    """What pip-audit is told of all packages here but this one."""
    command = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--timeout", "5"]
    options = ["--progress-spinner", "off", "--format", "json", "--vulnerability-service", service]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    verdict = read(done.stdout)
    if not verdict.judged:
        # pip-audit's own last line would be "No known vulnerabilities found" where it could judge nothing.
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
        if verdicts[service].judged:
            break
    said, status = told(verdicts)
    print(said)
    return status


if __name__ == "__main__":
    sys.exit(main())
