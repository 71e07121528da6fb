"""The file by which servers are told how to split requests."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from monitoring.errors import BadInput
from monitoring.rollout.evidence.assignment import assigned
from monitoring.rollout.split.split_file import NO_KEY, Split, end_split, read_split, write_split
from monitoring.timestamps import as_microseconds

SPLIT = Split(
    model="m", champion=1, candidate=2, share=0.25, salt="s", key="user", sticky="day", timezone="America/New_York"
)
NOON = as_microseconds(datetime(2026, 3, 2, 12, tzinfo=UTC))
HOUR = 3_600_000_000


def test_it_comes_back_and_says_who_answers_when_it_has_ended(tmp_path: Path) -> None:
    file = tmp_path / "rollouts" / "split.json"
    end_split(file, 1)
    assert read_split(file) is None
    write_split(file, SPLIT)
    assert read_split(file) == SPLIT
    end_split(file, 2, salt="another split's")
    assert read_split(file) == SPLIT
    end_split(file, 2, salt="s")
    over = replace(SPLIT, champion=2, share=0.0)
    assert read_split(file) == over
    end_split(file, 1, salt="s")  # it is over
    assert read_split(file) == over
    end_split(file, 1)
    assert read_split(file) == replace(over, champion=1)


@pytest.mark.parametrize(
    "change",
    [
        {"share": "0"},
        {"share": 1.5},
        {"sticky": "week"},
        {"key": None},
        {"timezone": "Mars"},
        {"champion": "1"},
        {"x": 1},
    ],
)
def test_another_file_is_told(tmp_path: Path, change: dict[str, object]) -> None:
    file = tmp_path / "split.json"
    file.write_text(json.dumps(asdict(SPLIT) | change))
    with pytest.raises(BadInput, match=r"The split of a rollout cannot be read"):
        read_split(file)
    file.write_text("{")
    with pytest.raises(BadInput, match=r"cannot be read"):
        read_split(file)


def test_a_share_of_keys_gets_the_candidate_and_the_log_says_which() -> None:
    split = replace(SPLIT, sticky="forever")
    found = [split.assign(f"user {number}", "r", NOON) for number in range(4_000)]
    versions = np.array([version for version, _ in found])
    assert abs((versions == 2).mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 4_000)
    assert all(split.version_of(unit) == version for version, unit in found)
    users = [f"user {number}" for number in range(4_000)]
    assert [version == 2 for version in versions] == assigned("s", users, 0.25).tolist()
    assert split.version_of(NO_KEY) == split.assign(None, "r", NOON)[0] == 1


def test_a_day_is_one_of_the_rollouts_zone() -> None:
    day = timedelta(days=1) // timedelta(microseconds=1)
    midnight = as_microseconds(datetime(2026, 3, 2, 5, tzinfo=UTC))  # in New York
    units = [SPLIT.assign("ada", "r", at)[1] for at in (midnight - 1, midnight, midnight + day - 1, midnight + day)]
    assert units[1] == units[2]
    assert len(set(units)) == 3


def test_each_request_is_a_unit_where_nothing_is_sticky() -> None:
    split = replace(SPLIT, sticky="request", key=None)
    assert split.assign(None, "a", NOON)[1] != split.assign(None, "b", NOON)[1]
