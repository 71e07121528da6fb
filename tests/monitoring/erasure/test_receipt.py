"""A receipt says what went where, and nothing of whom."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from monitoring.erasure.change import ErasedRows, Unreached
from monitoring.erasure.receipt import Receipt, ReceiptFile, new_receipt, request_hash
from monitoring.erasure.wanted_rows import ColumnValue
from monitoring.traffic.erased_ids import log_key, read_erased_ids

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PART = ErasedRows(kind="part", file="p", rows=3, removed=1, sha256_before="0", sha256_after="1")
WHERE = ColumnValue(column="email", value="ada@example.org")


def begun(root: Path, *ids: str, where: ColumnValue | None = None) -> tuple[Receipt, frozenset[str]]:
    receipt, earlier = new_receipt(root, where or ids, ids, by="me", clock=lambda: NOON)
    return receipt, earlier.hashes


def test_it_holds_no_id_and_no_value(tmp_path: Path) -> None:
    receipt, _ = begun(tmp_path, "a:0", where=WHERE)
    file = ReceiptFile(tmp_path, receipt)
    file.add(PART)
    file.set_store({"notes": 1})
    done = file.end((), NOON)
    text = file.path.read_text("utf-8")
    assert "a:0" not in text
    assert "ada" not in text
    document = json.loads(text)
    assert document == json.loads(json.dumps(done.document()))
    assert (document["state"], document["removed"], document["by"], document["column"]) == (
        "complete",
        1,
        "me",
        "email",
    )
    assert document["files"] == [PART.document()]
    assert document["store"] == {"notes": 1}
    assert read_erased_ids(tmp_path).hashes == {*document["ids"]}


def test_a_file_that_is_changed_twice_is_one_entry(tmp_path: Path) -> None:
    file = ReceiptFile(tmp_path, begun(tmp_path, "a:0")[0])
    file.add(PART)
    file.add(replace(PART, rows=2, removed=2, sha256_before="1", sha256_after="2"))
    assert file.receipt.files == (replace(PART, removed=3, sha256_after="2"),)


def test_the_same_request_goes_on_with_what_was_not_complete(tmp_path: Path) -> None:
    first, earlier = begun(tmp_path, "a:0", "b:0", where=WHERE)
    assert earlier == frozenset()
    ReceiptFile(tmp_path, first)  # and then its process was killed
    second, earlier = begun(tmp_path, "b:0", where=WHERE)
    assert earlier == {*first.ids}
    assert second.ids == first.ids
    assert second.continues == (first.name,)
    assert begun(tmp_path, "b:0", where=ColumnValue(column="email", value="x"))[1] == frozenset()
    left = Unreached(what="w", why="y", fix="f")
    assert ReceiptFile(tmp_path, second).end((left,), NOON).state == "incomplete"
    third, earlier = begun(tmp_path, where=WHERE)
    assert earlier == {*first.ids}
    ReceiptFile(tmp_path, replace(third, name="9")).end((), NOON)
    assert begun(tmp_path, where=WHERE)[1] == frozenset()


def test_a_request_is_the_same_in_any_order(tmp_path: Path) -> None:
    key = log_key(tmp_path)
    assert request_hash(key, ("a", "b")) == request_hash(key, ("b", "a", "a"))
    assert request_hash(key, ("a",)) != request_hash(key, WHERE)


def test_a_store_that_was_named_and_not_reached_is_no_place_that_was_not_asked_for(tmp_path: Path) -> None:
    receipt, _ = begun(tmp_path, "a:0")
    store = Unreached(what="store", why="it is of an earlier release", fix="Migrate it.")
    places = [each.not_searched[0] for each in (receipt, replace(receipt, unreached=(store,)))]
    assert [place.startswith("the monitor's store") for place in places] == [True, False]
