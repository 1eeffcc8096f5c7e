"""Counters and health of the balancer of deploy/haproxy.cfg."""

import csv
import io

import urllib3

BALANCER = "http://127.0.0.1:8002"
COUNTS = "http://127.0.0.1:8404/stats;csv"


def counts() -> list[dict[str, str]]:
    """Return the balancer's counters, a row for each of its parts."""
    text = urllib3.request("GET", COUNTS, retries=False, timeout=5).data.decode()
    return list(csv.DictReader(io.StringIO(text.removeprefix("# "))))


def failed() -> int:
    """Return the number of requests that failed at the balancer; the site repeats them or gives an error."""
    row = next(row for row in counts() if (row["pxname"], row["svname"]) == ("model", "FRONTEND"))
    return int(row["req_tot"]) - int(row["hrsp_2xx"])


def in_use() -> list[str]:
    """Return the machines that the balancer uses."""
    return [
        row["svname"]
        for row in counts()
        if row["pxname"] == "machines" and row["svname"] != "BACKEND" and row["status"].startswith("UP")
    ]


def is_ready() -> bool:
    """Return true if the model server is ready."""
    try:
        url = f"{BALANCER}/v2/health/ready"
        return urllib3.request("GET", url, retries=False, timeout=5).status == 200
    except urllib3.exceptions.HTTPError:
        return False
