from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result

from monitoring.errors import BadInput
from monitoring.store import Store
from pitfalls_tf.cli.monitor.incidents import login_name, time_of
from tests.dashboard_store import fill
from tests.small_deployment import CONFIG


@pytest.fixture
def incidents(tmp_path: Path, pitfalls: Callable[..., Result]) -> Callable[..., Result]:
    """Run ``pitfalls monitor incidents ...`` on that store."""
    (tmp_path / "monitor.toml").write_text(CONFIG)
    with Store.open(f"sqlite:///{tmp_path / 'pitfalls.db'}") as store:
        fill(store, "flights")

    def run(*arguments: str) -> Result:
        place = ("--config", str(tmp_path / "monitor.toml"), "--deployment", "1")
        return pitfalls("monitor", "incidents", *arguments, *place)

    return run


@pytest.fixture
def document(incidents: Callable[..., Result]) -> Callable[..., dict[str, Any]]:
    """The JSON document of such a verb."""

    def run(*arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(incidents(*arguments, "--json").stdout)
        return found

    return run


def test_open_incidents_are_one_line_each_and_closed_ones_are_listed_if_asked_for(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    incidents("assign", "1", "team flights", "--by", "operator")
    incidents("close", "2", "--by", "operator")
    (line,) = incidents("list").stdout.splitlines()
    assert line.startswith("1  page  23 Apr 2013  open, owner team flights  Brier score above expectation: ")
    assert len(incidents("list", "--all").stdout.splitlines()) == 2
    assert [one["number"] for one in document("list")["incidents"]] == [1]
    incidents("close", "1")
    assert incidents("list").stdout == "No open incident.\n"


def test_an_incident_is_shown_in_full_with_what_people_did(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    incidents("note", "1", "a broken feed\nstation 7", "--by", "operator")
    incidents("assign", "1", "team flights", "--by", "operator")
    text = incidents("show", "1").stdout
    assert text.startswith("Incident 1, page: open, owner team flights\nBrier score above expectation: ")
    assert "note: a broken feed station 7 (by operator)" in text
    assert "assigned to team flights (by operator)" in text
    assert "Next step: " in text
    found = document("show", "1")
    assert (found["number"], found["owner"], found["snoozed_until"], found["previous"]) == (
        1,
        "team flights",
        None,
        None,
    )
    assert [(one["kind"], one["text"]) for one in found["actions"]] == [
        ("note", "a broken feed\nstation 7"),
        ("assign", "team flights"),
    ]
    missing = incidents("show", "9")
    assert (missing.exit_code, "one of: 1, 2" in missing.stderr) == (2, True)


def test_an_incident_is_acknowledged_once(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    first = document("acknowledge", "1", "--by", "operator")
    assert (first["state"], [one["by"] for one in first["actions"]]) == ("acknowledged", ["operator"])
    assert document("acknowledge", "1", "--by", "another") == first
    assert incidents("acknowledge", "1").stdout == "Incident 1: acknowledged.\n"


def test_a_snooze_has_an_end(incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]) -> None:
    assert "snoozed until worse" in incidents("snooze", "1", "--until-worse").stdout
    found = document("snooze", "1", "--until", "2999-01-01")
    assert (found["snoozed_until"], found["snoozed_until_worse"]) == ("2999-01-01T00:00:00Z", False)
    assert "snoozed until 1 Jan 2999" in incidents("list").stdout
    assert document("snooze", "1", "--end")["snoozed_until"] is None
    assert "snooze ended (by " in incidents("show", "1").stdout


def test_a_snooze_without_an_end_or_with_two_is_refused(incidents: Callable[..., Result]) -> None:
    for wrong in ((), ("--until", "yesterday"), ("--until", "2001-01-01"), ("--end", "--until", "2h")):
        result = incidents("snooze", "1", *wrong)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("Error: ")


def test_an_owner_is_named_replaced_and_taken_away(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    assert incidents("assign", "1", "team flights").stdout == "Incident 1: open, owner team flights.\n"
    assert document("assign", "1", "team weather")["owner"] == "team weather"
    assert document("assign", "1")["owner"] is None


def test_a_note_is_kept_and_an_empty_one_refused(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    assert document("note", "2", "seen before", "--by", "operator")["actions"][0]["text"] == "seen before"
    refused = incidents("note", "2", " ")
    assert (refused.exit_code, "The note is empty" in refused.stderr) == (2, True)


def add_action(folder: Path, name: str, code: str) -> None:
    command = json.dumps([sys.executable, "-S", "-c", code])
    with (folder / "monitor.toml").open("a") as config:
        config.write(f'[[action]]\nname = "{name}"\nkind = "command"\ncommand = {command}\n')


def test_an_action_is_performed_with_both_its_rows_in_the_log(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    add_action(tmp_path, "stop", "print('stopped')")
    add_action(tmp_path, "fail", "raise SystemExit(3)")
    said = incidents("act", "1", "stop", "--by", "ada")
    assert (said.exit_code, "stop: done. It said: stopped" in said.stdout) == (0, True)
    failed = incidents("act", "1", "fail", "--by", "ada")
    assert (failed.exit_code, "The action failed." in failed.stderr) == (3, True)
    log = [(one["by"], one["text"]) for one in document("show", "1")["actions"]]
    assert log[:2] == [("ada", "stop: begun."), ("ada", "stop: done. It said: stopped")]
    assert [text.startswith("fail: ") for _, text in log[2:]] == [True, True]


def test_an_action_that_there_is_not_is_refused_with_those_that_there_are(
    incidents: Callable[..., Result], tmp_path: Path
) -> None:
    add_action(tmp_path, "stop", "")
    refused = incidents("act", "1", "go")
    assert (refused.exit_code, "There is no such action." in refused.stderr) == (2, True)
    assert "stop" in refused.stderr


def test_closing_says_what_follows_and_closed_is_closed(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    found = document("close", "1", "--why", "the feed is mended", "--by", "operator")
    assert (found["state"], found["actions"][0]["text"]) == ("closed", "the feed is mended")
    assert found["closed_at"] == found["actions"][0]["at"]
    assert "tested against the baseline again from the next window on" in incidents("close", "2").stdout
    assert incidents("close", "1").exit_code == 2


def test_what_a_person_closed_is_reopened(
    incidents: Callable[..., Result], document: Callable[..., dict[str, Any]]
) -> None:
    incidents("close", "1")
    found = document("reopen", "1", "--why", "too early")
    assert (found["state"], found["closed_at"]) == ("open", None)
    assert [one["kind"] for one in found["actions"]] == ["close", "reopen"]
    assert incidents("reopen", "1").exit_code == 2


NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def test_a_time_without_a_zone_is_in_that_of_the_windows() -> None:
    assert time_of("2024-01-02T08:00", NOON, ZoneInfo("America/New_York")) == datetime(2024, 1, 2, 13, tzinfo=UTC)
    assert time_of("2024-01-02T08:00+01:00", NOON, ZoneInfo("UTC")) == datetime(2024, 1, 2, 7, tzinfo=UTC)


@pytest.mark.parametrize("text", ["soon", "0h", "2023-12-31", "99999999d", "2024-13-01"])
def test_what_is_no_time_to_come_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="Correct --until"):
        time_of(text, NOON, ZoneInfo("UTC"))


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert login_name() == f"user {os.getuid()}"


def test_before_the_first_run_there_is_no_incident(tmp_path: Path, pitfalls: Callable[..., Result]) -> None:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    result = pitfalls("monitor", "incidents", "note", "1", "x", "--config", tmp_path / "monitor.toml")
    assert (result.exit_code, "pitfalls monitor run" in result.stderr) == (2, True)


def test_a_number_that_is_no_incident_is_refused(incidents: Callable[..., Result]) -> None:
    for number in (99, 2**31 - 1, 2**31, 2**63, 10**23):
        missing = incidents("acknowledge", str(number))
        assert (missing.exit_code, missing.stdout, str(number) in missing.stderr) == (2, "", True)
