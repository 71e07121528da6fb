"""``pitfalls replay``: flags and errors; a replay to a server is tested in tests/pitfalls_tf/replay."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import Result

from monitoring.errors import BadInput
from monitoring.onboarding.table_description import described
from monitoring.timestamps import EPOCH
from pitfalls_tf.cli.replay import read_token
from pitfalls_tf.replay import ReplayOptions, ReplayPlan, ReplayProgress, ReplaySummary

Pitfalls = Callable[..., Result]
SUMMARY = ReplaySummary(requests=2, rows=40, labels=30, skipped_rows=10, skipped_labels=5, reconnects=0, seconds=1.25)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the verb passes to `replay`, which reports progress by single rows and sends nothing."""
    passed: dict[str, Any] = {}

    def replay(table: pa.Table, *, progress: Callable[[ReplayProgress], None], **arguments: Any) -> ReplaySummary:
        passed.update(arguments, rows=table.num_rows)
        for row in range(1, 41):
            progress(ReplayProgress(rows=row, total=40, labels=row // 2, now=EPOCH))
        return SUMMARY

    monkeypatch.setattr("pitfalls_tf.cli.replay.replay", replay)
    return passed


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of two rows."""
    path = tmp_path / "rows.csv"
    path.write_text("when,y,known\n2013-04-01T05:15:00Z,late,2013-04-01T06:00:00Z\n2013-04-01T05:20:00Z,,\n")
    return path


def test_flags_become_plan_and_options(pitfalls: Pitfalls, sent: dict[str, Any], table: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    result = pitfalls(
        *("replay", table, "--to", "http://127.0.0.1:1", "--model", "m", "--rows-per-request", "7", "--name", "run"),
        *(
            "--event-time",
            "when",
            "--label",
            "y",
            "--label-time",
            "known",
            "--token-file",
            tmp_path / "token",
            "--json",
        ),
    )
    assert result.exit_code == 0, result.output
    columns = described(event_time="when", label_time="known", naive_timezone="UTC").traffic
    plan = ReplayPlan(columns=columns, rows_per_request=7, prefix="run", label="y")
    options = ReplayOptions(token="secret")
    assert sent == {"url": "http://127.0.0.1:1", "model": "m", "plan": plan, "options": options, "rows": 2}
    assert json.loads(result.stdout)["skipped_labels"] == 5


def test_progress_is_printed_once_per_tenth_and_the_summary_in_words(
    pitfalls: Pitfalls, sent: dict[str, Any], table: Path
) -> None:
    result = pitfalls("replay", table, "--to", "http://127.0.0.1:1", "--event-time", "when")
    lines = result.stderr.splitlines()
    assert [line.split()[0] for line in lines] == [str(percent) for percent in range(10, 101, 10)]
    assert lines[-1] == "100 %  1970-01-01 00:00  40 rows, 20 labels"
    assert result.stdout == (
        "40 rows in 2 requests and 30 labels sent in 1.2 s; 10 rows and 5 labels were already in the log.\n"
    )
    assert sent["model"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--label", "y"), "Label and label time must be given together"),
        (("--rows-per-request", "0"), "Invalid number of rows per request"),
        (("--traffic", "none"), "There is no such traffic log"),
        (("--token-file", "none"), "The token file cannot be used"),
    ],
)
def test_invalid_flags_are_wrong_input_and_send_nothing(
    pitfalls: Pitfalls, sent: dict[str, Any], table: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = pitfalls("replay", table, "--to", "http://127.0.0.1:1", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert not sent


def test_times_without_a_zone_are_said_and_outputs_may_have_labels_of_their_own(
    pitfalls: Pitfalls, sent: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("event_time,sev,vehage,known\n2013-04-01 05:15:00,low,3,2013-04-01 06:00:00\n")
    labels = ("--label", "sev=sev,vehage=vehage", "--label-time", "known", "--naive-timezone", "Europe/Paris")
    result = pitfalls("replay", path, "--to", "http://127.0.0.1:1", *labels)
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[0] == "Times of event_time and known have no zone, and are taken as Europe/Paris."
    assert sent["plan"].label == "sev=sev,vehage=vehage"
    assert sent["plan"].columns.naive_timezone == "Europe/Paris"


def test_a_file_overrides_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITFALLS_TOKEN", "from the environment")
    (tmp_path / "token").write_text("# of the feature store\n\n  from-a-file labels store\nanother\n")
    assert read_token(tmp_path / "token") == "from-a-file"
    assert read_token(None) == "from the environment"


@pytest.mark.parametrize("value", [None, ""])
def test_without_either_there_is_no_token(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PITFALLS_TOKEN", raising=False)
    if value is not None:
        monkeypatch.setenv("PITFALLS_TOKEN", value)
    assert read_token(None) is None


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff"], ids=["missing", "empty", "blank", "not text"])
def test_a_file_without_a_token_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(BadInput, match="token file cannot be used"):
        read_token(tmp_path / "token")
