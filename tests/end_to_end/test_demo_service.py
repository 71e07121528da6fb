"""The demo's traffic judged by the service, and its incidents acknowledged over the API."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from tests.end_to_end.walking import Walk
from tests.monitor_service import Served, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

PLACE = "api/v1/deployments/flights/1"


def wait_until_judged(service: Served, until: str) -> None:
    """Wait until the window that ends at a time is judged, and the run that judged it has ended."""
    end = time.monotonic() + 600
    service.wait_for("monitor.toml: Evaluated")
    while service.get(PLACE).json()["standing"]["last_window"]["end"] != until:
        assert time.monotonic() < end, service.lines
        time.sleep(0.2)


def test_the_service_judges_the_demo_alike_and_its_incidents_are_acknowledged(walked: Walk, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    for name in ("models", "traffic"):
        shutil.copytree(walked.out / name, folder / name, symlinks=True)
    shutil.copy(walked.out / "monitor.toml", folder / "monitor.toml")
    token = tmp_path / "token"
    token.write_text("a-token-of-enough-length\n", "utf-8")
    token.chmod(0o600)
    windows = walked.found["windows"]
    with served(folder, token) as service:
        wait_until_judged(service, windows[-1]["end"])
        states = service.get(f"{PLACE}/window-states?limit=1000").json()["windows"]
        assert [(one["start"], one["rows"], one["status"]) for one in states if one["status"]] == [
            (one["start"], one["rows"], one["status"]) for one in windows
        ]
        incidents = service.get(f"{PLACE}/incidents?state=all&limit=1000").json()["incidents"]
        assert len(incidents) == len(walked.found["incidents"])
        unclosed = [one for one in incidents if one["state"] != "closed"]
        assert any(one["level"] == "page" for one in unclosed)
        for one in unclosed:
            done = service.post(f"{PLACE}/incidents/{one['number']}/acknowledge", {"by": "ada", "text": "seen"})
            assert (done.status_code, done.json()["actions"][-1]["by"]) == (200, "ada")
        found = service.get(f"{PLACE}/incidents").json()["incidents"]
        assert {one["state"] for one in found} <= {"acknowledged", "recovering"}
        assert all(one["actions"][-1]["kind"] == "acknowledge" for one in found)
        assert service.stop() == 0
