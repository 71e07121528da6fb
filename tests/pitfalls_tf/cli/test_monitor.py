from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from monitoring.baseline.folder import write_baseline
from monitoring.baseline.schema import infer_schema, write_schema
from monitoring.store.store import Store
from tests.small_deployment import FIRST, SPEC, Days, bundle, days, deploy, deployed, send, table_of

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

Pitfalls = Callable[..., Result]


def test_run_prints_one_document_in_the_shape_of_the_contract_and_ends_with_one_for_a_page(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=25, broken_from=12))
    result = pitfalls("monitor", "run", "--config", deployed / "monitor.toml", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["model"], found["version"], len(found["windows"])) == ("flights", 1, 25)
    assert {"start", "end", "rows", "labels", "status", "evidence"} <= found["windows"][0].keys()
    assert {window["status"] for window in found["windows"]} <= {"ok", "notice", "page", "thin"}
    assert found["windows"][-1]["evidence"]["page"] > 365 > found["windows"][5]["evidence"]["page"]
    page = next(incident for incident in found["incidents"] if incident["level"] == "page")
    assert {"id", "opened_at", "window", "watch", "slice", "cause", "message", "state"} <= page.keys()
    assert found["coverage"]["rows"] == 1500
    assert {(one["metric"], one["slice"]) for one in found["sensitivity"]} == {
        (metric, part) for metric in ("error", "brier") for part in ("", "origin=EWR", "origin=JFK")
    }
    assert len(found["sensitivity"]) == 18
    again = pitfalls("monitor", "run", "--config", deployed / "monitor.toml", "--json")
    assert json.loads(again.stdout) == found
    status = pitfalls("monitor", "status", "--config", deployed / "monitor.toml", "--json")
    assert (status.exit_code, json.loads(status.stdout)) == (1, found)


def test_healthy_traffic_ends_with_zero_and_is_shown_to_a_person(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=10))
    result = pitfalls("monitor", "run", "--config", deployed / "monitor.toml")
    assert result.exit_code == 0, result.output
    assert "flights version 1" in result.stdout
    assert "1 per 365 windows" in " ".join(result.stdout.split())


def test_an_incident_is_acknowledged_by_its_number(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=20, broken_from=8))
    config = deployed / "monitor.toml"
    pitfalls("monitor", "run", "--config", config)
    found = json.loads(pitfalls("monitor", "status", "--config", config, "--json").stdout)
    page = next(i for i in found["incidents"] if i["level"] == "page")
    result = pitfalls("monitor", "acknowledge", str(page["id"]), "--config", config, "--json")
    assert json.loads(result.stdout) == {"id": page["id"], "state": "acknowledged"}
    missing = pitfalls("monitor", "acknowledge", "99", "--config", config)
    assert missing.exit_code == 2
    assert "99" in missing.stderr
    for number in (2**31 - 1, 2**31, 2**63, 10**23):
        missing = pitfalls("monitor", "acknowledge", str(number), "--config", config)
        assert (missing.exit_code, missing.stdout, str(number) in missing.stderr) == (2, "", True)


def test_init_writes_a_config_that_run_accepts_and_replaces_none_unasked(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any, tmp_path: Path
) -> None:
    send(deployed, days(days=4))
    arguments = ["--bundle", deployed / "models" / "flights", "--traffic", deployed / "traffic", "--slices", "origin"]
    out = tmp_path / "new"
    made = pitfalls("monitor", "init", *arguments, "--out", out, "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout) == {"config": str(out / "monitor.toml")}
    assert pitfalls("monitor", "run", "--config", out / "monitor.toml").exit_code == 0
    refused = pitfalls("monitor", "init", *arguments, "--out", out)
    assert (refused.exit_code, "There is a config already" in refused.stderr) == (2, True)
    assert pitfalls("monitor", "init", *arguments, "--out", out, "--force").exit_code == 0


def test_init_refuses_a_slice_that_the_model_does_not_know_and_leaves_nothing(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any, tmp_path: Path
) -> None:
    send(deployed, days(days=1))
    out = tmp_path / "new"
    arguments = ["--bundle", deployed / "models" / "flights", "--traffic", deployed / "traffic", "--slices", "temp"]
    result = pitfalls("monitor", "init", *arguments, "--out", out)
    assert result.exit_code == 2
    assert "'temp'" in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda text: text.replace("min_rows", "minrows"), 2, "min_rows"),
        (lambda text: text.replace("models/flights", "models/none"), 3, "The bundle to watch is not there"),
        (lambda text: text.replace('"traffic"', '"nowhere"'), 2, "nowhere"),
        (lambda text: text.replace('["origin"]', '["temp"]'), 2, "category input"),
        (lambda text: text.replace("sqlite:///pitfalls.db", "sqlite:////proc/pitfalls.db"), 3, "/proc"),
    ],
    ids=["unknown key", "no bundle", "no traffic", "slice of a number", "unwritable store"],
)
def test_bad_surroundings_are_one_clear_message_and_the_right_code(
    pitfalls: Pitfalls,
    deployed: Path,
    send: Callable[..., None],
    days: Any,
    change: Callable[[str], str],
    code: int,
    words: str,
) -> None:
    send(deployed, days(days=1))
    config = deployed / "monitor.toml"
    config.write_text(change(config.read_text()))
    result = pitfalls("monitor", "run", "--config", config, "--json")
    assert result.exit_code == code
    assert words in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_status_before_the_first_run_says_what_to_do(pitfalls: Pitfalls, deployed: Path) -> None:
    for verb in (("status",), ("report", "--no-drift"), ("acknowledge", "1")):
        result = pitfalls("monitor", *verb, "--config", deployed / "monitor.toml")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "pitfalls monitor run" in result.stderr
    assert not (deployed / "pitfalls.db").exists()


def test_status_and_acknowledge_are_of_the_config_and_of_no_other_on_the_same_store(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=25, broken_from=12))
    first, other = deployed / "monitor.toml", deployed / "other.toml"
    other.write_text(first.read_text() + '[budget]\npage = "1 per 1000 windows"\n')
    assert pitfalls("monitor", "run", "--config", first).exit_code == 1
    before = pitfalls("monitor", "status", "--config", other, "--json")
    assert "Nothing was judged yet as the config stands" in before.stderr
    report = pitfalls("monitor", "report", "--no-drift", "--config", other, "--out", deployed / "report")
    assert "Nothing was judged yet as the config stands" in report.stderr
    assert json.loads(before.stdout)["budget"]["page"]["text"] == "1 per 365 windows"
    pitfalls("monitor", "run", "--config", other)
    found = before
    for config, budget in ((first, "1 per 365 windows"), (other, "1 per 1000 windows")):
        found = pitfalls("monitor", "status", "--config", config, "--json")
        assert found.stderr == ""
        assert json.loads(found.stdout)["budget"]["page"]["text"] == budget
    (page,) = [one["id"] for one in json.loads(found.stdout)["incidents"] if one["level"] == "page"]
    assert pitfalls("monitor", "acknowledge", str(page), "--config", other).exit_code == 0
    states = {
        config: [
            one["state"]
            for one in json.loads(pitfalls("monitor", "status", "--config", config, "--json").stdout)["incidents"]
            if one["level"] == "page"
        ]
        for config in (first, other)
    }
    assert states == {first: ["open"], other: ["acknowledged"]}


def test_a_log_that_holds_another_model_and_classes_of_another_order_are_told(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=3))
    config = deployed / "monitor.toml"
    text = config.read_text()
    shutil.copytree(deployed / "models" / "flights", deployed / "fleet" / "boats")
    config.write_text(text.replace("models/flights", "fleet/boats"))
    result = pitfalls("monitor", "run", "--config", config)
    assert "The traffic log has no row of boats version 1; it has rows of flights version 1." in result.stderr
    config.write_text(text.replace("[model]", '[model]\nclasses = ["late", "on_time"]'))
    refused = pitfalls("monitor", "run", "--config", config)
    assert refused.exit_code == 2
    assert "The classes are not those of the baseline." in refused.stderr


def test_a_bundle_with_a_baseline_of_four_windows_is_refused_before_anything_is_written(
    pitfalls: Pitfalls, tmp_path: Path
) -> None:
    extras = tmp_path / "models" / "flights" / "1" / "assets.extra"
    table = table_of(Days(days=4, start=FIRST, seed=1))
    write_baseline(table, folder=extras / "baseline", spec=SPEC)
    write_schema(infer_schema(table.select(["temp", "origin", "label"]), label="label"), extras / "schema.pbtxt")
    bundle = tmp_path / "models" / "flights"
    out = tmp_path / "out"
    result = pitfalls("monitor", "init", "--bundle", bundle, "--traffic", tmp_path / "traffic", "--out", out)
    assert result.exit_code == 2
    assert "The baseline is too short: no watch has enough windows" in result.stderr
    assert not (out / "monitor.toml").exists()


def test_reports_are_written_and_the_window_is_checked(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=12))
    config, out = deployed / "monitor.toml", deployed / "report"
    pitfalls("monitor", "run", "--config", config)
    result = pitfalls("monitor", "report", "--config", config, "--out", out, "--no-drift", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert Path(document["page"]).read_text().startswith("<!doctype html>")
    assert Path(document["picture"]).read_bytes().startswith(b"\x89PNG")
    assert document["drift_html"] is None
    wrong = pitfalls("monitor", "report", "--config", config, "--out", out, "--window", "2012-01-01")
    assert wrong.exit_code == 2
    assert "a day from 2013-04-01 to 2013-04-12" in wrong.stderr


def _scheduled(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pitfalls_tf", "monitor", "schedule", "--config", str(folder / "monitor.toml")]
    return subprocess.Popen(
        [*command, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def _judged(folder: Path) -> list[Any]:
    with Store.open(f"sqlite:///{folder / 'pitfalls.db'}") as store:
        number = store.latest("flights")
        return [] if number is None else [window.start for window in store.windows(number, scores=False)]


def test_the_schedule_judges_stops_on_sigterm_and_judges_every_window_once_however_often_started(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=12))
    # The first is stopped as soon as it has judged a window, the second once it has judged all and waits for its cron.
    for sign in (" ok (", "Judged"):
        process = _scheduled(deployed)
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if sign in line or (" notice (" in line and sign == " ok ("):
                break
        process.send_signal(signal.SIGTERM)
        rest = threading.Thread(target=process.stderr.read)
        rest.start()
        assert process.stdout is not None
        document = json.loads(process.stdout.read())
        code = process.wait(60)
        rest.join(10)
        process.stdout.close()
        process.stderr.close()
        assert code == 0, seen
        assert document["model"] == "flights"
    judged = _judged(deployed)
    assert len(judged) == len(set(judged)) == 12


def test_a_schedule_whose_store_is_away_says_so_and_waits(deployed: Path, send: Callable[..., None], days: Any) -> None:
    send(deployed, days(days=2))
    away = deployed / "away"
    away.write_text("in the way of the folder")
    config = deployed / "monitor.toml"
    text = config.read_text().replace("sqlite:///pitfalls.db", "sqlite:///away/pitfalls.db")
    config.write_text(text + '[schedule]\ncron = "* * * * *"\n')
    process = _scheduled(deployed)
    assert process.stderr is not None
    first = process.stderr.readline()
    assert "The next run tries again." in first
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (2, "")
    assert "Nothing was judged yet." in errors
