"""The list in force in files that several processes share."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from serving.models.list_in_force import ListInForce
from serving.models.model_cache import model_at
from serving.models.version_folders import ModelSource, RequestLogging, VersionPolicy
from serving.status import Code, Failure
from serving.workers.list_file import LOCK, ListFile

SOURCES = (
    ModelSource(
        name="m\u00e9",
        base=Path("/models/m"),
        policy=VersionPolicy(kind="specific", numbers=(1, 7)),
        labels={"stable": 7},
        logging=RequestLogging(collector="", prefix="/log", sampling_rate=0.1),
    ),
    ModelSource(name="n", base=Path("/models/n")),
    model_at("s3://bucket/u", name="u"),
)


@pytest.mark.parametrize(
    "in_force",
    [
        ListInForce(unloaded=("m", "n"), switched="n"),
        ListInForce(generation=9, sources=SOURCES, last_read=(), hangups=3),
        ListInForce(sources=()),
    ],
)
def test_a_list_is_read_as_it_was_put(tmp_path: Path, in_force: ListInForce) -> None:
    ListFile(tmp_path).put(in_force)
    assert ListFile(tmp_path).newest() == in_force


def test_hangups_are_counted(tmp_path: Path) -> None:
    assert ListFile(tmp_path).hangups() == 0
    ListFile(tmp_path).count_hangup()
    ListFile(tmp_path).count_hangup()
    assert ListFile(tmp_path).hangups() == 2


def test_the_lock_keeps_others_out_until_the_block_ends(tmp_path: Path) -> None:
    with (tmp_path / LOCK).open("wb") as other:
        with ListFile(tmp_path).exclusive(), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_others_are_asked_to_follow(tmp_path: Path) -> None:
    failure = Failure(Code.UNKNOWN, "m")
    assert ListFile(tmp_path, lambda: lambda: (failure,)).update_others()() == (failure,)
