"""Erased ids are kept as hashes that nobody can make without the log's key."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from monitoring.errors import CannotRun
from monitoring.traffic.erased_ids import FOLDER, ErasedIds, erasure_names, log_key, read_erased_ids


def record(root: Path, *ids: str, name: str = "one") -> None:
    """A receipt with some ids."""
    hashes = ErasedIds(key=log_key(root)).hashed(list(ids))
    (root / FOLDER / f"{name}.json").write_text(json.dumps({"ids": hashes}), "utf-8")


def test_nothing_is_erased_from_a_log_without_receipts(tmp_path: Path) -> None:
    assert erasure_names(tmp_path) == ()
    assert read_erased_ids(tmp_path).contains(pa.array(["a:0"])).tolist() == [False]


def test_ids_of_all_receipts_are_erased(tmp_path: Path) -> None:
    record(tmp_path, "a:0")
    record(tmp_path, "b:0", "é\0", name="two")
    erased = read_erased_ids(tmp_path)
    assert erased.contains(pa.array(["a:0", "a:1", "b:0", "é\0"])).tolist() == [True, False, True, True]


def test_the_key_is_made_once_and_belongs_to_its_log(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert log_key(one) == log_key(one)
    assert len(log_key(one)) == 32
    assert ErasedIds(key=log_key(one)).hashed(["a:0"]) != ErasedIds(key=log_key(other)).hashed(["a:0"])
    assert "key" not in repr(ErasedIds(key=log_key(one)))


@pytest.mark.parametrize("damaged", ["key", "one.json"])
def test_a_record_that_cannot_be_read_is_an_error_and_not_an_empty_one(tmp_path: Path, damaged: str) -> None:
    record(tmp_path, "a:0")
    path = tmp_path / FOLDER / damaged
    if damaged == "key":
        path.unlink()
    else:
        path.write_text("{", "utf-8")
    with pytest.raises(CannotRun, match="record of erased rows"):
        read_erased_ids(tmp_path)
