"""What the balancer of deploy/haproxy.cfg counts, and how it is asked."""

import csv
import io

import urllib3

BALANCER = "http://127.0.0.1:8002"
COUNTS = "http://127.0.0.1:8404/stats;csv"


def counts() -> list[dict[str, str]]:
    """What the balancer counts, a row for each of its parts."""
    text = urllib3.request("GET", COUNTS, retries=False, timeout=5).data.decode()
    return list(csv.DictReader(io.StringIO(text.removeprefix("# "))))


def failed() -> int:
    """How many requests came to nothing at the balancer: each is asked again, or becomes an error."""
    row = next(row for row in counts() if (row["pxname"], row["svname"]) == ("model", "FRONTEND"))
    return int(row["req_tot"]) - int(row["hrsp_2xx"])


def in_use() -> list[str]:
    """The machines that the balancer sends to."""
    return [
        row["svname"]
        for row in counts()
        if row["pxname"] == "machines" and row["svname"] != "BACKEND" and row["status"].startswith("UP")
    ]


def is_ready() -> bool:
    """Whether a question would be answered."""
    try:
        url = f"{BALANCER}/v2/health/ready"
        return urllib3.request("GET", url, retries=False, timeout=5).status == 200
    except urllib3.exceptions.HTTPError:
        return False
