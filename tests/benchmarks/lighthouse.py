"""`make lighthouse`: what Lighthouse says of each page, with its phone preset, on a site of its own.

Needs Node and Chromium; npm fetches Lighthouse. Ends with 1 where a score is below LEAST.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import flask_migrate
from werkzeug.serving import make_server

from mnistweb import create_app

LIGHTHOUSE = "lighthouse@^12.8.2"  # 13 wants a newer Node than Debian has
LEAST = 0.98
PAGES = ("/", "/history", "/insights", "/models", "/models/cnn")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def main() -> int:
    """Serve, measure every page, print a line for each."""
    chromium = os.environ.get("PLAYWRIGHT_CHROMIUM") or shutil.which("chromium")
    if chromium is None or shutil.which("npx") is None:
        sys.exit("make lighthouse needs Node (npx) and Chromium.")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"DATABASE_URL": f"sqlite:///{folder}/site.sqlite3", "INSTANCE_PATH": folder})
        with app.app_context():
            flask_migrate.upgrade()
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for page in PAGES:
            scores = measure(
                f"http://127.0.0.1:{server.server_port}{page}", Path(folder) / "report.json", chromium
            )
            failed += min(scores.values()) < LEAST
            print(f"{page:14}", *(f"{name} {score:.0%}" for name, score in scores.items()), flush=True)
        server.shutdown()
    return 1 if failed else 0


def measure(address: str, report: Path, chromium: str) -> dict[str, float]:
    """The four scores, 0..1, of the page at `address`."""
    command = [
        *("npx", "--yes", LIGHTHOUSE, address, "--quiet", "--output=json", f"--output-path={report}"),
        f"--only-categories={','.join(CATEGORIES)}",
        "--chrome-flags=--headless --no-sandbox --disable-background-networking --disable-quic",
    ]
    subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": chromium}, timeout=300)
    found = json.loads(report.read_text())["categories"]
    return {name: found[name]["score"] for name in CATEGORIES}


if __name__ == "__main__":
    sys.exit(main())
