"""``pitfalls monitor run``."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

from tests.monitoring.notifications.receivers import Receiver, receiving
from tests.monitoring.notifications.routes.smtp_server import SmtpServer, smtp_server
from tests.own_table import watch
from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

Pitfalls = Callable[..., Result]


def test_run_prints_one_document_and_exits_with_1_for_a_page(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=25, broken_from=12))
    result = pitfalls("monitor", "run", "--config", deployed / "monitor.toml", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["model"], found["version"], len(found["windows"])) == ("flights", 1, 25)
    assert {"start", "end", "rows", "labels", "status", "evidence"} <= found["windows"][0].keys()
    assert {window["status"] for window in found["windows"]} <= {"ok", "notice", "suspected", "page", "thin"}
    evidence = [window["evidence"]["page"] for window in found["windows"]]
    assert max(evidence[12:]) > 365 > max(evidence[:12])
    page = next(incident for incident in found["incidents"] if incident["level"] == "page")
    assert {"number", "opened_at", "window", "watch", "slice", "cause", "message", "state"} <= page.keys()
    assert found["coverage"]["rows"] == 1500
    assert {(one["metric"], one["slice"]) for one in found["sensitivity"]} == {
        (metric, part) for metric in ("error", "brier") for part in ("", "origin=EWR", "origin=JFK")
    }
    assert len(found["sensitivity"]) == 18
    again = json.loads(pitfalls("monitor", "run", "--config", deployed / "monitor.toml", "--json").stdout)
    assert {**again, "checked_at": found["checked_at"]} == found
    status = pitfalls("monitor", "status", "--config", deployed / "monitor.toml", "--json")
    assert (status.exit_code, json.loads(status.stdout)) == (1, again)


def test_a_store_that_is_gone_or_anothers_is_an_error_until_it_is_confirmed(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=4))
    run = ("monitor", "run", "--config", deployed / "monitor.toml")
    store = deployed / "pitfalls.db"
    assert pitfalls(*run).exit_code == 0
    kept = store.read_bytes()
    for is_there in (False, True):
        store.unlink()
        if is_there:
            sqlite3.connect(store).close()
        refused = pitfalls(*run)
        assert refused.exit_code == 3
        assert "is not the one that its last run wrote. Got a store with no window; expected that of" in refused.stderr
        assert "--new-store" in refused.stderr
    store.write_bytes(kept)
    assert pitfalls(*run).exit_code == 0, "a backup"
    store.unlink()
    assert pitfalls(*run, "--new-store").exit_code == 0
    assert pitfalls(*run).exit_code == 0, "once is enough"


def test_rows_of_excluded_callers_are_left_out_and_counted(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=2))
    send(deployed, days(days=2, principal="load-test"), labels=False)
    config = deployed / "monitor.toml"
    result = pitfalls("monitor", "run", "--config", config, "--exclude-caller", "load-test", "--json")
    assert result.exit_code == 0, result.output
    assert "120 rows of excluded callers were left out." in result.stderr
    found = json.loads(result.stdout)
    assert [window["rows"] for window in found["windows"]] == [60, 60]
    assert found["excluded_rows"] == 120
    config.write_text(config.read_text().replace("[traffic]", '[traffic]\nexclude_callers = ["load-test"]'))
    again = json.loads(pitfalls("monitor", "run", "--config", config, "--json").stdout)
    assert again["windows"] == found["windows"], "the same deployment"


def test_a_database_on_which_no_test_runs_is_called_experimental(pitfalls: Pitfalls, tmp_path: Path) -> None:
    config = watch(tmp_path).adopted.config
    query = "SELECT * FROM live WHERE ts >= :start AND ts < :end"
    traffic = f'[traffic]\npath = "snowflake://reader@account/scores"\nquery = "{query}"\n'
    text = config.read_text("utf-8").replace("[traffic]\n", traffic)
    config.write_text(f'{text}\n[engine]\nkind = "sql"\n', "utf-8")
    result = pitfalls("monitor", "run", "--config", config)
    assert "on Snowflake is experimental" in result.stderr
    assert result.exit_code == 2, result.output


def test_healthy_traffic_exits_with_0_and_prints_the_status(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=10))
    result = pitfalls("monitor", "run", "--config", deployed / "monitor.toml")
    assert result.exit_code == 0, result.output
    assert "flights version 1" in result.stdout
    assert "1 per 365 windows" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda text: text.replace("min_rows", "minrows"), 2, "min_rows"),
        (lambda text: text.replace("models/flights", "models/none"), 3, "The bundle to watch is not there"),
        (lambda text: text.replace('"traffic"', '"nowhere"'), 2, "nowhere"),
        (lambda text: text.replace('["origin"]', '["temp"]'), 2, "category input"),
        (lambda text: text.replace("sqlite:///pitfalls.db", "sqlite:////proc/pitfalls.db"), 3, "/proc"),
    ],
    ids=["unknown key", "no bundle", "no traffic", "slice of a number", "unwritable store"],
)
def test_wrong_input_and_a_bad_environment_are_one_message_with_their_exit_code(
    pitfalls: Pitfalls,
    deployed: Path,
    send: Callable[..., None],
    days: Any,
    change: Callable[[str], str],
    code: int,
    message: str,
) -> None:
    send(deployed, days(days=1))
    config = deployed / "monitor.toml"
    config.write_text(change(config.read_text()))
    result = pitfalls("monitor", "run", "--config", config, "--json")
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_log_of_another_model_and_classes_in_another_order_are_reported(
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


def test_a_heartbeat_is_pinged_for_what_was_judged_and_for_an_error(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=2))
    config = deployed / "monitor.toml"
    with receiving() as receiver:
        base = receiver.url.partition("?")[0]
        config.write_text(f'{config.read_text()}[heartbeat]\nurl = "{base}"\n')
        assert pitfalls("monitor", "run", "--config", config).exit_code == 0
        idle = pitfalls("monitor", "run", "--config", config)
        assert "Nothing is due" in idle.stdout
        (deployed / "models").unlink()
        assert pitfalls("monitor", "run", "--config", config).exit_code == 3
        pings = [path.rpartition("/secret")[2] for path in receiver.paths]
    assert pings == ["/start", "", "/start", "", "/start", "/fail"]
    assert b"The bundle to watch is not there" in receiver.bodies[-1]


def test_routes_hear_of_an_acknowledgement_at_once_and_a_receiver_that_was_down_is_tried_again_by_retry(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=1, without="temp"))
    config = deployed / "monitor.toml"
    with receiving() as receiver:
        route = f'[[notify]]\nwebhook = "{receiver.url}"\nstates = ["open", "acknowledged"]\n'
        config.write_text(config.read_text() + route)
        receiver.statuses = [404]
        assert "HTTP 404. The next run retries it." in pitfalls("monitor", "run", "--config", config).stderr
        again = pitfalls("monitor", "run", "--config", config)
        assert "Nothing is due" in again.stdout
        assert "notifications that did not reach everybody: 1" in again.stdout
        assert "HTTP 404" not in again.stderr, "it is left alone for a minute"
        receiver.statuses = [200]
        assert pitfalls("monitor", "notify", "retry", "--config", config).exit_code == 0
        assert pitfalls("monitor", "incidents", "acknowledge", "1", "--config", config).exit_code == 0
    assert [one["event"]["state"] for one in receiver.documents] == ["open", "open", "acknowledged"]


ROWS, FIT_DAYS, LIVE_DAYS = 200, 21, 8


def incomes_and_labels(days: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Incomes [days, rows] in thousands, and who defaults."""
    rng = np.random.default_rng(seed)
    income = rng.lognormal(1.0, 0.4, (days, ROWS))
    return income, rng.random((days, ROWS)) < 1.0 / (1.0 + np.exp((income - 3.0) / 0.4))


def nearest_neighbour(fitted: tuple[np.ndarray, np.ndarray], income: np.ndarray) -> np.ndarray:
    """A model that knows its own rows by heart: the answer of the nearest row it was fitted on."""
    order = np.argsort(fitted[0], axis=None)
    known, labels = fitted[0].ravel()[order], fitted[1].ravel()[order]
    place = np.clip(np.searchsorted(known, income), 1, known.size - 1)
    place -= income - known[place - 1] < known[place] - income
    return np.where(labels[place], 0.95, 0.05)


def table(first: str, income: np.ndarray, answers: np.ndarray, labels: np.ndarray) -> pa.Table:
    days = np.datetime64(first, "us") + np.arange(len(income)) * np.timedelta64(1, "D")
    times = (days[:, None] + np.arange(ROWS) * np.timedelta64(5, "m")).ravel()
    return pa.table(
        {
            "ts": pa.array(times, pa.timestamp("us", tz="UTC")),
            "income": income.ravel(),
            "p": answers.ravel(),
            "y": labels.ravel().astype(int),
        }
    )


def test_a_reference_of_training_rows_is_told_at_init_and_by_the_first_labels(
    pitfalls: Pitfalls, tmp_path: Path
) -> None:
    fitted, live = incomes_and_labels(FIT_DAYS, 1), incomes_and_labels(LIVE_DAYS, 2)
    pq.write_table(
        table("2024-01-01", fitted[0], nearest_neighbour(fitted, fitted[0]), fitted[1]), tmp_path / "REF.parquet"
    )
    pq.write_table(table("2024-03-01", live[0], nearest_neighbour(fitted, live[0]), live[1]), tmp_path / "LIVE.parquet")
    columns = ("--event-time", "ts", "--score", "p", "--label", "y", "--traffic", tmp_path / "LIVE.parquet")
    made = pitfalls("monitor", "init", "--reference", tmp_path / "REF.parquet", *columns, "--out", tmp_path / "shop")
    assert made.exit_code == 0, made.output
    assert "The model is wrong in 0.0% of 4,200 labelled rows" in made.stderr
    result = pitfalls("monitor", "run", "--config", tmp_path / "shop" / "monitor.toml", "--json")
    assert result.exit_code == 1, f"the first days are paged as before: {result.output}"
    found = json.loads(result.stdout)
    told = next(one for one in found["findings"] if one["kind"] == "in-sample baseline")
    assert (told["windows"], told["fact"]) == (5, False)
    assert told["message"].startswith("The baseline's scores look in-sample: error rate 0.0 % there, ")
    assert "in the first 7 labelled windows" in told["message"]


EMAIL = 'route = "email"\nhost = "127.0.0.1"\nsecurity = "none"\nsender = "m@a.org"\nto = ["o@a.org"]\n'
STATES = 'level = "notice"\nstates = ["open", "worse", "recovering", "closed", "acknowledged"]\n'


def routes(folder: Path, receiver: Receiver, smtp: SmtpServer) -> str:
    """Sections for every route, each with all states."""
    base = receiver.url.partition("/hook")[0]
    for name, text in (("slack", f"{base}/slack"), ("pagerduty", "R" * 32)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    sections = (
        f'webhook = "{base}/webhook"\n',
        'route = "slack"\nwebhook_file = "slack"\n',
        f'route = "pagerduty"\nrouting_key_file = "pagerduty"\nurl = "{base}/pagerduty"\n',
        f'route = "alertmanager"\nurl = "{base}"\n',
        f"{EMAIL}port = {smtp.port}\n",
        f'route = "command"\ncommand = ["/bin/sh", "-c", "cat >> {folder}/command.jsonl"]\n',
    )
    return "".join(f"[[notify]]\n{section}{STATES}" for section in sections)


@pytest.mark.slow
def test_a_first_run_over_old_traffic_is_one_digest_by_each_route_and_what_is_open_lives_on(
    pitfalls: Callable[..., Result], deployed: Path, send: Callable[..., None], days: Any
) -> None:
    for week in range(4):
        start = datetime(2013, 4, 1, tzinfo=UTC) + timedelta(days=7 * week)
        send(deployed, days(days=1, start=start, without="temp"))
        send(deployed, days(days=6, start=start + timedelta(days=1), broken_from=0 if week == 3 else None))
    config = deployed / "monitor.toml"
    with receiving() as receiver, smtp_server(SmtpServer()) as smtp:
        config.write_text(config.read_text() + routes(deployed, receiver, smtp))
        first = json.loads(pitfalls("monitor", "run", "--config", config, "--json").stdout)
        still = [one["number"] for one in first["incidents"] if one["state"] != "closed"]
        sent = dict(zip(receiver.paths, receiver.documents, strict=True))
        counts = {path: receiver.paths.count(path) for path in sent}
        assert counts["/webhook"] == counts["/slack"] == len(smtp.mails) == 1
        assert sent["/webhook"]["event"]["kind"] == "digest"
        assert [one["number"] for one in sent["/webhook"]["incidents"]] == [one["number"] for one in first["incidents"]]
        assert counts["/pagerduty"] == len(still)
        assert {one[0]["labels"]["incident"] for one in receiver.documents if isinstance(one, list)} == set(
            map(str, still)
        )
        (piped,) = (deployed / "command.jsonl").read_text().splitlines()
        assert json.loads(piped) == sent["/webhook"]

        before = len(receiver.paths)
        assert pitfalls("monitor", "incidents", "close", str(still[0]), "--config", config).exit_code == 0
        later = receiver.documents[before:]
    assert [one["event_action"] for one in later if "event_action" in one] == ["resolve"]
    assert [one["event"]["state"] for one in later if "event" in one] == ["closed"]
    assert len(smtp.mails) == 2
