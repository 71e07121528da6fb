"""The whole road, as a user walks it: `pitfalls demo`, its server killed in the middle of the replay."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from benchmarks.truth.level_streams import alarms, resampled
from monitoring.config import load_config
from monitoring.deployment.deployment import deploy
from monitoring.evidence.calibration import calibrated_log_scale
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.log.log import TrafficLog
from pitfalls_tf.demo.pipeline import DEPLOYED
from pitfalls_tf.sources import flights
from tests.end_to_end.walking import UNTIL_DAY, Walk, walk

UNTIL = datetime.fromisoformat(UNTIL_DAY).replace(hour=4, tzinfo=UTC)
pytestmark = pytest.mark.timeout(600)


def test_the_demo_pages_in_april_and_says_why(walked: Walk) -> None:
    found = walked.found
    assert found["demo"]["stages"]["train"]["deployed_seed"] == 1, (
        "weights have the same bits on every x86-64 processor"
    )
    pages = {page["window"]["start"][:10]: page for page in found["incidents"] if page["level"] == "page"}
    assert sorted(pages) == ["2013-04-09", "2013-04-18"]
    page = pages["2013-04-18"]
    assert page["cause"].startswith("Error rate 23 \N{RIGHTWARDS ARROW} 33 % since 17 April 2013 ")
    assert "the model is overconfident" in page["message"]
    assert "the model's own probabilities explain" in page["message"]
    assert [window["rows"] > 0 for window in found["windows"]] == [True] * 24 + [False], (
        "labels of the last day are later"
    )
    assert found["demo"]["peak_bytes"] < 3e9


def test_every_row_that_was_answered_is_in_the_log_once_though_the_server_was_killed(walked: Walk) -> None:
    out, found = walked.out, walked.found
    replayed = found["demo"]["stages"]["replay"]
    assert replayed["server_starts"] == 2
    sent = flights.load().between(DEPLOYED, UNTIL)
    log = TrafficLog(out / "traffic").read(model="flights", columns=["prediction_id"])
    ids = Counter(log["prediction_id"].to_pylist())
    assert len(ids) == len(sent) == found["coverage"]["rows"]
    assert set(ids.values()) == {1}
    assert list((out / "traffic" / "open").iterdir()) == []
    arrived = pc.sum(pc.is_valid(sent.rows["label"])).as_py()
    assert LabelLog(out / "traffic").summary().distinct == arrived


def test_the_demo_called_again_goes_on_where_it_stopped(walked: Walk) -> None:
    out, found = walked.out, walked.found
    before = {
        path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and "pitfalls.db" not in path.name
    }
    again = walk(out, kill=False)
    assert {key: again[key] for key in ("windows", "incidents", "coverage")} == {
        key: found[key] for key in ("windows", "incidents", "coverage")
    }
    assert again["demo"]["stages"] == found["demo"]["stages"]
    after = {path: path.stat().st_mtime_ns for path in before}
    assert after == before


def test_the_reports_are_there_and_ask_nobody_for_anything(walked: Walk) -> None:
    out, found = walked.out, walked.found
    report = Path(found["demo"]["report"])
    assert 100_000 < report.stat().st_size < 500_000
    drift = out / found["demo"]["stages"]["report"]["drift"]
    assert "Content-Security-Policy" in report.read_text()
    assert drift.stat().st_size > 1_000_000
    assert json.loads(drift.with_suffix(".json").read_text())


@pytest.mark.slow
def test_a_year_resampled_from_the_baselines_days_pages_no_more_often_than_the_budget_says(walked: Walk) -> None:
    """One page in five years of days on average is a page in at most 1 - exp(-1 / 5) of years."""
    reference_fit = deploy(load_config(walked.out / "monitor.toml")).reference_fit
    page, means = reference_fit.tests["page"].paging(), reference_fit.means
    days = max(scores.size for scores in means.values())
    places = resampled(days, np.random.default_rng(1), streams=200, windows=365, length=1)
    scale = math.exp(calibrated_log_scale(page, means, np.random.default_rng(0)))
    found = alarms(page, means, places, threshold=page.budget.threshold / scale)
    assert page.budget.threshold == 5 * 365
    assert found.share_with_any(365) <= 1.0 - math.exp(-365 / page.budget.threshold)


def test_a_folder_that_is_not_a_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    command = [sys.executable, "-m", "pitfalls_tf", "demo", "--out", str(tmp_path), "--fresh"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "not made by a demo" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_written_is_one_clear_message() -> None:
    command = [sys.executable, "-m", "pitfalls_tf", "demo", "--out", "/proc/demo"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 3
    assert result.stderr.startswith("Error: The demo's folder cannot be written.")
    assert "Traceback" not in result.stderr
