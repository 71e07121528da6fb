"""Erased ids are looked for as whole words in the bytes of texts, stores and compressed texts."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.erasure.change import (
    SHOWN,
    Change,
    ErasedRows,
    file_remains,
    ids_in,
    ids_in_file,
    replaced_file,
    store_remains,
)

IDS = st.from_regex(r"[a-z0-9][a-z0-9:_-]{0,80}", fullmatch=True)


@given(ids=st.lists(IDS, min_size=1, max_size=5, unique=True), kept=st.sets(st.integers(0, 4)), noise=st.binary())
def test_an_id_is_found_where_it_stands_and_not_in_a_longer_one(ids: list[str], kept: set[int], noise: bytes) -> None:
    there = [one for place, one in enumerate(ids) if place in kept]
    others = [f"x{one}" for one in ids] + [f"{one}0" for one in ids]
    data = b"|".join(f'"{one}"'.encode() for one in (*there, *others))
    wanted = {one for one in ids if {one, one[:SHOWN]} & {word[:SHOWN] for word in there} & {one, one[:SHOWN]}}
    assert ids_in(data, [one for one in ids if one not in others]) <= len(wanted | set(there))
    assert ids_in(data, there) == len(there)
    assert ids_in(noise + b'"' + b'"'.join(one.encode() for one in there) + b'"', there) == len(there)


def test_a_cut_id_counts_and_an_empty_or_absent_file_has_none(tmp_path: Path) -> None:
    long = "q" * (SHOWN + 20)
    assert ids_in(f"id {long[:SHOWN]!r} is".encode(), [long]) == 1
    (tmp_path / "empty").write_bytes(b"")
    assert ids_in_file(tmp_path / "empty", ["a:1"]) == ids_in_file(tmp_path / "none", ["a:1"]) == 0
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"prediction_id\na:1\na:10\n"))
    assert ids_in_file(tmp_path / "rows.csv.gz", ["a:1", "a:2"]) == 1


def test_every_file_of_a_store_is_searched(tmp_path: Path) -> None:
    database = tmp_path / "pitfalls.db"
    assert store_remains(database, ["a:1"]) == ()
    database.write_bytes(b"nothing")
    database.with_name("pitfalls.db-wal").write_bytes(b'\0{"prediction_id":"a:1"}\0')
    (left,) = store_remains(database, ["a:1", "a:2"])
    assert (left.what, left.why) == (f"{database}-wal", "its bytes still have 1 of the rows' ids")


@pytest.mark.parametrize("text", [b"prediction_id\na:1\n", b"prediction_id\na:10\n"])
def test_what_is_left_in_the_files_of_a_receipt_is_named(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "rows.csv").write_bytes(text)

    def erased(kind: str, file: str, removed: int = 1) -> ErasedRows:
        return ErasedRows(kind=kind, file=file, rows=9, removed=removed, sha256_before="a", sha256_after="b")

    table = erased("table", str(tmp_path / "rows.csv"))
    files = (erased("part", "model=m/1.parquet"), table)
    again = [
        Change(erased=erased("part", "model=m/1.parquet", 3), apply=lambda: None),
        Change(erased=erased("part", "model=m/2.parquet", 5), apply=lambda: None),
    ]
    left = {one.what: one.why for one in file_remains(files, again, ["a:1"])}
    wanted = {"model=m/1.parquet": "its bytes still have 3 of the rows' ids"}
    if text.endswith(b":1\n"):
        wanted[table.file] = "its bytes still have 1 of the rows' ids"
    assert left == wanted, "a part that came meanwhile is not of this receipt"


def test_a_file_is_replaced_when_the_change_is_applied_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    path.chmod(0o604)
    change = replaced_file(path, b"new", kind="table", name="f", rows=2, removed=1)
    assert path.read_bytes() == b"old"
    with path.open("rb") as reader:
        change.apply()
        assert reader.read() == b"old"  # who has opened it reads on
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o604
    assert change.erased.document() == {
        "kind": "table",
        "file": "f",
        "rows": 2,
        "removed": 1,
        "sha256_before": hashlib.sha256(b"old").hexdigest(),
        "sha256_after": hashlib.sha256(b"new").hexdigest(),
    }
