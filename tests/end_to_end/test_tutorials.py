"""Every command of the tutorials, run in the folder that the demo left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitoring.inspection.status import status
from monitoring.reports.sections.health import suspected
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from tests.end_to_end.walking import Walk

PAGES = Path(__file__).parents[2] / "docs" / "tutorials"
OWN_TABLE = PAGES / "your-own-table.md"  # begins in an empty folder
LUCK = PAGES / "better-or-luck.md"  # so does this
NUMBER = PAGES / "regression.md"  # and this, which starts a server
CLASSES = PAGES / "many-labels.md"  # likewise
VERSION = PAGES / "a-new-version.md"  # likewise
IMAGES = PAGES / "images.md"  # likewise
RANKING = PAGES / "ranking.md"  # its second half starts a server, too
TUTORIALS = [page for page in sorted(PAGES.glob("*.md")) if "`cd demo`" in page.read_text("utf-8")]
# `status` and `run` end with 1 while a page is not closed, which is how the demo ends.
HEALTHY_OR_PAGED = (0, 1)
pytestmark = pytest.mark.timeout(600)


def commands(page: Path) -> list[str]:
    """What stands behind a dollar sign, with the lines that follow it."""
    blocks = re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    return [command.strip() for block in blocks for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]


def walk_through(found: list[str], folder: Path) -> None:
    """Run the commands of a page in a folder, as a reader would."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    assert len(found) >= 5
    for command in found:
        result = subprocess.run(
            ["/bin/sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        allowed = HEALTHY_OR_PAGED if command.startswith(("pitfalls monitor status", "pitfalls monitor run")) else (0,)
        assert result.returncode in allowed, f"{command}\n{result.stderr}"
        assert "Traceback" not in result.stderr


def walk_served(page: Path, folder: Path) -> None:
    """As `walk_through`, of a page that starts a server, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = f"pitfalls serve --rest-port {port} --grpc-port off"
    found_there = [
        command.replace("pitfalls serve", served).replace("127.0.0.1:8501", f"127.0.0.1:{port}")
        for command in commands(page)
    ]
    try:
        walk_through(found_there, folder)
    except BaseException:
        if (folder / "serve.pid").is_file():
            os.kill(int((folder / "serve.pid").read_text("utf-8")), signal.SIGTERM)
        raise


@pytest.mark.slow
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_command_of_a_tutorial_runs(page: Path, walked: Walk, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(walked.out, folder)
    walk_through(commands(page), folder)
    assert (folder / "april.parquet").is_file()
    assert list((folder / "look").glob("drift-2013-04-18.*"))


@pytest.mark.slow
def test_every_command_of_the_tutorial_on_a_table_of_ones_own_runs_in_an_empty_folder(tmp_path: Path) -> None:
    walk_through(commands(OWN_TABLE), tmp_path)
    with Store.open(f"sqlite:///{tmp_path}/lender/pitfalls.db") as store:
        found = status(store, "lender")
    first = next(i for i in found.incidents if i.level == "page")
    assert incident_text(first).cause == "labels contradict answers"
    assert datetime(2024, 4, 1, tzinfo=UTC) <= first.window_start <= datetime(2024, 4, 3, tzinfo=UTC)
    assert (found.coverage.rows, found.coverage.labels, found.coverage.repeats) == (12_000, 12_000, 0)
    assert (tmp_path / "report" / "drift-2024-04-03.html").is_file()
    assert [window.start.day for window in found.windows if window.expected == "Spring sale"] == [15, 16, 17]
    assert {one.watch for one in found.windows[5].scores} >= {"metric:lost_money", "surprise_metric:lost_money"}


@pytest.mark.slow
def test_every_command_of_the_tutorial_on_luck_runs_in_an_empty_folder(tmp_path: Path) -> None:
    walk_through(commands(LUCK), tmp_path)
    verdict = json.loads((tmp_path / "verdict.json").read_text("utf-8"))
    assert verdict["verdict"] in {"better", "worse", "inconclusive"}
    assert verdict["low"] < verdict["gain"] < verdict["high"]
    assert (tmp_path / "gains.svg").stat().st_size > 1000
    assert [path.name for path in (tmp_path / "models" / "rodents").iterdir()] == ["1"], "refused once, forced once"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page asks the server with curl")
def test_every_command_of_the_tutorial_on_a_new_version_runs_in_an_empty_folder(tmp_path: Path) -> None:
    walk_served(VERSION, tmp_path)
    served = [json.loads((tmp_path / f"{name}.json").read_text("utf-8")) for name in ("promoted", "taken_back")]
    assert [one["model_spec"]["version"] for one in served] == ["2", "1"]
    with Store.open(f"sqlite:///{tmp_path}/pitfalls.db") as store:
        watch, shadow, replay = store.rollouts.latest("air_time")
    assert (replay.mode, shadow.mode, watch.mode) == ("replay", "shadow", "watch")
    assert replay.result is not None
    assert (replay.result.verdict, replay.result.promotable) == ("better", True)
    assert (shadow.state, watch.state) == ("stopped", "rolled back")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page asks the server with curl")
def test_every_command_of_the_tutorial_on_a_predicted_number_runs_in_an_empty_folder(tmp_path: Path) -> None:
    walk_served(NUMBER, tmp_path)
    with Store.open(f"sqlite:///{tmp_path}/pitfalls.db") as store:
        found = status(store, "air_time")
    pages = [incident for incident in found.incidents if incident.level == "page"]
    assert datetime(2013, 8, 22, tzinfo=UTC) <= pages[0].window_start <= datetime(2013, 8, 24, tzinfo=UTC)
    assert incident_text(pages[0]).cause.startswith("label shares jumped")
    assert (found.coverage.rows, found.coverage.labels_unknown) == (9_879, 0)
    assert "absolute_error" in {score.watch for score in found.windows[-1].scores}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page asks the server with curl")
def test_every_command_of_the_tutorial_on_several_classes_runs_in_an_empty_folder(tmp_path: Path) -> None:
    walk_served(CLASSES, tmp_path)
    with Store.open(f"sqlite:///{tmp_path}/pitfalls.db") as store:
        found = status(store, "delays")
    pages = [incident for incident in found.incidents if incident.level == "page"]
    assert datetime(2013, 8, 22, tzinfo=UTC) <= pages[0].window_start <= datetime(2013, 8, 26, tzinfo=UTC)
    assert "class departs_late" in incident_text(pages[0]).message
    assert found.coverage.labels_unknown == 0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page asks the server with curl")
def test_every_command_of_the_tutorial_on_images_runs_in_an_empty_folder(tmp_path: Path) -> None:
    walk_served(IMAGES, tmp_path)
    with Store.open(f"sqlite:///{tmp_path}/pitfalls.db") as store:
        found = status(store, "digits")
    assert min(incident.window_start for incident in found.incidents) == datetime(2026, 4, 12, tzinfo=UTC)
    lines = [incident_text(incident).line for incident in found.incidents]
    assert all(
        any(part in line for line in lines) for part in ("image.brightness", "Embedding drift", "Labels stopped")
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page asks the server with curl")
def test_every_command_of_the_tutorial_on_a_ranking_runs_in_an_empty_folder(tmp_path: Path) -> None:
    walk_served(RANKING, tmp_path)
    with Store.open(f"sqlite:///{tmp_path}/pitfalls.db") as store:
        found = status(store, tmp_path.name)
    first, second = found.incidents[:2]
    assert (first.level, first.window_start) == ("notice", datetime(2013, 8, 22, tzinfo=UTC))
    assert second.level == "notice"
    assert "reciprocal rank" in incident_text(second).cause
    assert "reciprocal rank" in suspected(found)
    assert (found.coverage.rows, found.coverage.labels_unknown) == (29_323, 0)
    with Store.open(f"sqlite:///{tmp_path}/served/pitfalls.db") as store:
        served = status(store, "destinations")
    page = next(i for i in served.incidents if i.level == "page")
    assert datetime(2013, 8, 22, tzinfo=UTC) <= page.window_start <= datetime(2013, 8, 24, tzinfo=UTC)
    assert served.coverage.labels_unknown == 0
    assert "prediction:first:ATL" in {score.watch for score in served.windows[-1].scores}
