"""`make digests`: name each image that Docker pulls by its tag and by the digest that the tag has now."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = ("Dockerfile", "docker-compose.yml", "deploy/machines.yml")
IMAGE = re.compile(
    r"(?P<before>^ARG \w+_IMAGE=|^ +image: (?:\$\{\w+_IMAGE:-)?)"
    r"(?P<tag>(?!mnistweb)[a-z0-9./-]+:[\w.-]+)(?:@sha256:[0-9a-f]{64})?",
    re.MULTILINE,
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def tags(text: str) -> list[str]:
    """Return the images of others that a file names, without their digests."""
    return [match["tag"] for match in IMAGE.finditer(text)]


def pinned(text: str, digest: Callable[[str], str]) -> str:
    """Return the file with the digest behind each tag."""
    return IMAGE.sub(lambda match: f"{match['before']}{match['tag']}@{digest(match['tag'])}", text)


def ask(tag: str) -> str:
    """Pull an image, and return the digest that the registry has for it, of all platforms."""
    print(f"Pulling {tag} …", flush=True)
    pull = subprocess.run(["docker", "pull", "--quiet", tag], stdout=subprocess.DEVNULL)  # noqa: S603, S607
    inspect = ["docker", "image", "inspect", tag, "--format", '{{join .RepoDigests "\\n"}}']
    found = subprocess.run(inspect, stdout=subprocess.PIPE, text=True).stdout.split()  # noqa: S603
    digests = dict(name.split("@", 1) for name in found)
    digest = digests.get(tag.rpartition(":")[0], "")
    if pull.returncode or not DIGEST.fullmatch(digest):
        sys.exit(f"The digest of {tag} is not known, so no file was changed.")
    return digest


def main() -> None:
    """Ask for all digests, then write the files."""
    texts = {ROOT / name: (ROOT / name).read_text() for name in FILES}
    found = {tag: ask(tag) for tag in dict.fromkeys(tag for text in texts.values() for tag in tags(text))}
    for path, text in texts.items():
        path.write_text(pinned(text, found.__getitem__))
    for tag, digest in found.items():
        print(f"{tag}@{digest}")


if __name__ == "__main__":
    main()
