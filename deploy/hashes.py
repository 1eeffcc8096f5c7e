"""`make hashes`: the packages of the image's stages, in the versions of constraints.txt, with hashes."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent
HEADER = "# Made by make hashes, for deploy/constraints.txt. The image installs no other files.\n"
PACKAGE = re.compile(r"^([a-z0-9-]+)==.*\n(?:    .*\n)+", re.MULTILINE)
# Each index has its own builds of torch, which bring these along.
LEFT_OUT = re.compile(r"torch|triton|cuda-.*|nvidia-.*")
TORCH = "torch"
Packages = dict[str, str]


def packages(text: str) -> Packages:
    """Return the packages of a file with hashes: the lines of each, by name."""
    found = {match[1]: match[0] for match in PACKAGE.finditer(text)}
    return {name: lines for name, lines in found.items() if not LEFT_OUT.fullmatch(name)}


def resolve(uv: str, requirements: list[str]) -> Packages:
    """Ask the index for these requirements, with all that they need."""
    command = [uv, "pip", "compile", "-", "--quiet", "--generate-hashes", "--no-annotate", "--no-header"]
    target = ["--python-version", "3.11", "--python-platform", "linux"]
    constraints = ["--constraint", str(FOLDER / "constraints.txt")]
    text = "\n".join(requirements)
    done = subprocess.run(  # noqa: S603
        [*command, *target, *constraints], input=text, stdout=subprocess.PIPE, text=True, check=True
    )
    return packages(done.stdout)


def stages(site: Packages, whole: Packages, model: Packages, tools: Packages) -> dict[str, Packages]:
    """Return the packages by the names of their files: each stage needs those of the ones before it, too."""
    return {
        "site": site,
        "torch": {name: whole[name] for name in whole if name not in site},
        "serve": {name: model[name] for name in model if name not in whole},
        "tools": tools,
    }


def main(uv: str) -> None:
    """Write the files, with this program `uv`."""
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    # With Redis' client: several servers need it for their rate limits.
    needed = [*project["project"]["dependencies"], *extras["scale"]]
    found = stages(
        resolve(uv, [each for each in needed if not each.startswith(TORCH)]),
        resolve(uv, needed),
        resolve(uv, [*needed, *extras["serve"]]),
        resolve(uv, [*project["build-system"]["requires"], *extras["sbom"]]),
    )
    for name, each in found.items():
        (FOLDER / "hashes" / f"{name}.txt").write_text(HEADER + "".join(each[key] for key in sorted(each)))


if __name__ == "__main__":
    main(sys.argv[1])
