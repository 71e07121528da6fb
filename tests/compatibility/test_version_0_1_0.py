"""A bundle, a traffic log, a config and a store written by version 0.1.0 are read, and history goes on in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WRITTEN = Path(__file__).with_name("version_0_1_0")
#: Of an incident, what a later version may not change.
INCIDENT = ("number", "level", "opened_at", "acknowledged_at", "window", "watch", "slice", "split", "rows")
#: Of the trust in an estimate, the same.
TRUST = ("method", "metric", "trusted", "checks", "misses", "distrusted_since")
#: Of an estimate, what a later version has added.
ADDED_TO_ESTIMATES = ("outside",)

Pitfalls = Callable[..., Any]


def facts(document: dict[str, Any]) -> dict[str, Any]:
    """What a later version must still say of windows that were judged: what was counted, and which incidents opened.

    Sentences may be put better, and how soon a harm would be noticed belongs to the method of the version asked.
    """
    kept = ("start", "end", "rows", "labels", "labels_due", "repeats", "unseen", "estimates")
    windows = [{name: window[name] for name in kept} for window in document["windows"]]
    for window in windows:
        window["estimates"] = [
            {name: one[name] for name in one if name not in ADDED_TO_ESTIMATES} for one in window["estimates"]
        ]
    return {
        "windows": json.loads(json.dumps(windows), parse_float=_rounded),
        "incidents": [
            {name: one.get(name, one.get("id") if name == "number" else None) for name in INCIDENT}  # `id` in 0.1.0
            for one in document["incidents"]
        ],
        "trust": [{name: one[name] for name in TRUST} for one in document["trust"]],
        **{name: document[name] for name in ("model", "version", "timezone", "coverage")},
    }


def _rounded(digits: str) -> float:
    """A number without its last digits, in which processors differ."""
    return float(f"{float(digits):.9g}")


def _opened(incident: dict[str, Any]) -> dict[str, Any]:
    """An incident without what is assessed again."""
    return {name: value for name, value in incident.items() if name not in ("split", "rows")}


def expected(name: str) -> dict[str, Any]:
    """What version 0.1.0 printed."""
    document: dict[str, Any] = json.loads((WRITTEN / "expected" / f"{name}.json").read_text(encoding="utf-8"))
    return document


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder, worked in."""
    folder = tmp_path / "kept"
    shutil.copytree(WRITTEN, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(("config", "name"), [("monitor.toml", "log_first"), ("table/monitor.toml", "table_first")])
def test_a_store_is_shown_as_it_was(kept: Path, pitfalls: Pitfalls, config: str, name: str) -> None:
    refused = pitfalls("monitor", "status", "--config", config, "--json")
    assert (refused.exit_code, "pitfalls monitor migrate" in refused.stderr) == (3, True)
    assert pitfalls("monitor", "migrate", "--config", config).exit_code == 0
    answer = pitfalls("monitor", "status", "--config", config, "--json")
    assert answer.exit_code == 1, answer.output
    assert facts(json.loads(answer.stdout)) == facts(expected(name))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--config", "monitor.toml"], "log"),
        (["--config", "table/monitor.toml", "--traffic", "live-[12].parquet"], "table"),
    ],
)
def test_a_run_goes_on_where_the_earlier_version_stopped(
    kept: Path, pitfalls: Pitfalls, arguments: list[str], name: str
) -> None:
    """Windows judged before stay as they were, incidents stay open or closed and are not told anew."""
    answer = pitfalls("monitor", "run", *arguments, "--json")
    assert answer.exit_code == 1, answer.output
    before, after = facts(expected(f"{name}_first")), facts(json.loads(answer.stdout))
    counted = facts(expected(f"{name}_second"))
    # Labels that come after the last row are joined since, in a window of their own.
    judged = after["windows"][: len(counted["windows"])]
    for estimate, earlier in zip(judged[-1]["estimates"], counted["windows"][-1]["estimates"], strict=True):
        assert estimate.pop("labelled") >= earlier.pop("labelled")
        assert (estimate.pop("realised") is None) == (earlier.pop("realised") is None)
    assert judged == counted["windows"]
    assert all(window["rows"] == 0 for window in after["windows"][len(judged) :])
    labels = ("labels", "windows")
    assert {name: count for name, count in after["coverage"].items() if name not in labels} == {
        name: count for name, count in counted["coverage"].items() if name not in labels
    }
    assert after["coverage"]["labels"] >= counted["coverage"]["labels"]
    # The cause of an incident that is open is assessed again, with its split and its worst rows.
    assert [_opened(one) for one in after["incidents"][: len(before["incidents"])]] == [
        _opened(one) for one in before["incidents"]
    ]
    evidence = [
        {level: window["evidence"][level] for level in ("page", "notice")}
        for window in json.loads(answer.stdout)["windows"]
    ]
    assert evidence[:8] == [window["evidence"] for window in expected(f"{name}_first")["windows"]]


def test_every_row_of_the_log_is_read_those_of_a_killed_server_too(kept: Path, pitfalls: Pitfalls) -> None:
    answer = pitfalls("traffic", "traffic", "--json")
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["models"][0]["rows"] == 640
