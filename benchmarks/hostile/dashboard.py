"""The requests to the dashboard of a demo, by name, with a token that may do everything."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.hostile.costs import Target
from benchmarks.hostile.requests import LARGEST, Rest
from monitoring.errors import CannotRun

TOKEN = "a-token-of-the-benchmark"  # noqa: S105 - of a dashboard that lives as long as the benchmark
BEARER = ("Authorization", f"Bearer {TOKEN}")
HTML = ("Accept", "text/html")


@contextmanager
def hostile_dashboard(demo: Path, scratch: Path) -> Iterator[Target]:
    """The dashboard of a demo's monitor, in a process of its own."""
    tokens = scratch / "tokens"
    tokens.touch(mode=0o600)
    tokens.write_text(f"{TOKEN}\n", encoding="ascii")
    command = [sys.executable, "-m", "pitfalls_tf", "monitor", "ui", "--config", str(demo / "monitor.toml")]
    command += ["--port", "0", "--token-file", str(tokens), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        text = ""
        for line in process.stdout:
            text += line
            if line.rstrip() == "}":
                break
        else:
            raise CannotRun(
                "The dashboard did not start.",
                got=f"exit code {process.wait()}",
                expected="a dashboard that prints its address",
                fix=f"Start it manually: python {' '.join(command[1:])}",
            )
        port = urlsplit(json.loads(text)["url"]).port or 0
        yield Target(pid=process.pid, port=port, health="/health/live")
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def got(target: Target, path: str) -> str:
    """The body of a page. Raises CannotRun if there is none."""
    with closing(http.client.HTTPConnection("127.0.0.1", target.port, timeout=120)) as connection:
        connection.request("GET", path, headers=dict((BEARER, HTML)))
        answer = connection.getresponse()
        body = answer.read().decode()
    if answer.status != http.client.OK:
        raise CannotRun("A page is not there.", got=f"{path}: {answer.status}", expected="200", fix="Look at it.")
    return body


def outcomes_table(target: Target, place: str) -> str:
    """The address of the first table of a deployment's answers and labels. Raises CannotRun if there is none."""
    page = got(target, f"{place}/outcomes?windows=90")  # not the windows whose cost is measured: they would be kept
    link = re.search(r'href="([^"?]+/outcomes/tables/[^"?]+\.csv)', page)
    if link is None:
        raise CannotRun(
            "The page of answers and labels has no table.",
            got=f"{place}/outcomes?windows=90",
            expected="a table with a link to its CSV file",
            fix="Give the folder of a demo whose labels have been read.",
        )
    return f"{link[1]}?windows=365"


def deployment_place(target: Target) -> str:
    """The address of the first deployment."""
    first = json.loads(got(target, "/api/v1/deployments"))["deployments"][0]
    return f"/d/{first['store']}/{first['number']}"


def dashboard_requests(target: Target) -> dict[str, Rest]:
    """Each page and each list of the deployment with the most incidents, what is dear to parse, and what is absurd."""
    place = deployment_place(target)
    _, _, store, number = place.split("/")
    api = f"/api/v1/deployments/{store}/{number}"
    incidents = json.loads(got(target, f"{api}/incidents?state=all&limit=1000"))["incidents"]
    windows = json.loads(got(target, f"{api}/windows?limit=1000"))["windows"]
    pages = {
        "all deployments": "/",
        "all jobs": "/jobs",
        "metrics": "/metrics",
        "a deployment": place,
        **{f"its {name}": f"{place}/{name}" for name in ("runs", "inputs", "compare", "drills", "rebaseline")},
        "answers and labels of 30 windows": f"{place}/outcomes?windows=30",
        "answers and labels of 365 windows": f"{place}/outcomes?windows=365",
        "answers and labels again, as CSV": outcomes_table(target, place),
        "a window": f"{place}/windows/{windows[len(windows) // 2]['start']}",
        "1,000 windows by the API": f"{api}/windows?limit=1000",
        "1,000 states of windows": f"{api}/window-states?limit=1000",
        "1,000 incidents by the API": f"{api}/incidents?state=all&limit=1000",
        "1,000 runs by the API": f"{api}/runs?limit=1000",
        **{f"incident {each['number']}": f"{place}/incidents/{each['number']}" for each in incidents[:3]},
        **{
            f"{page} of incident {each['number']}": f"{place}/incidents/{each['number']}/{page}"
            for each in incidents[:3]
            for page in ("rows", "outcomes", "subgroups")
        },
        "a number of 5,000 digits": f"/d/{store}/{'9' * 5_000}",
        "an incident of 30 digits": f"{place}/incidents/{'9' * 30}/rows",
        "a time that is none everywhere": f"{api}/windows?before=9999-12-31T23:59:59-23:59",
        "a window of the year 1": f"{place}/windows/0001-01-01T00:00:00+23:59",
        "a long path": "/d/" + "a/" * 30_000,
        "many parameters": f"{place}?" + "windows=7&" * 6_000,
    }
    requests = {name: Rest(path, headers=(BEARER, HTML), method="GET") for name, path in pages.items()}
    form = (BEARER, ("Content-Type", "application/x-www-form-urlencoded"))
    document = (BEARER, ("Content-Type", "application/json"))
    label = b'{"prediction_id": "a:0", "label": "1", "label_time": "2013-04-01T09:00:00Z"}'
    return requests | {
        "a page for another site": Rest(
            f"{place}/outcomes?windows=365",
            headers=(BEARER, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")),
            method="GET",
        ),
        "a wrong token": Rest("/", headers=(("Authorization", "Bearer nobody-has-such-a-token"),), method="GET"),
        "a header of 60 kB": Rest("/", headers=(BEARER, ("X-Long", "a" * 60_000)), method="GET"),
        "a header of 99 kB": Rest("/", headers=(BEARER, ("X-Long", "a" * 99_000)), method="GET"),
        "5,000 headers": Rest("/", headers=(BEARER, *((f"X-{each}", "1") for each in range(5_000))), method="GET"),
        "a cookie of 60 kB": Rest("/", headers=(BEARER, ("Cookie", "a=1; " * 12_000)), method="GET"),
        "a form of 99 kB": Rest("/sign-in", b"token=" + b"%41" * 32_000, form),
        "a form of many fields": Rest(f"{place}/incidents/1/note", b"a=1&" * 24_000, form),
        "labels": Rest(f"{api}/labels", b'{"by": "b", "labels": [' + b",".join([label] * 1_200) + b"]}", document),
        "labels that are nested": Rest(f"{api}/labels", b'{"labels": ' + b"[" * 98_000, document),
        "a label of a number of digits": Rest(
            f"{api}/labels", b'{"by": "b", "labels": [{"label": ' + b"9" * (LARGEST - 1_000) + b"}]}", document
        ),
    }
