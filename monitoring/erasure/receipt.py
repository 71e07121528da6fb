"""The receipt of an erasure: what went from where, when, by whom, and what could not be reached. No raw value."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from monitoring.atomic import write_text
from monitoring.erasure.change import ErasedRows, Unreached
from monitoring.erasure.wanted_rows import ColumnValue
from monitoring.traffic.erased_ids import FOLDER, SUFFIX, ErasedIds, erasure_names, log_key

ReceiptState: TypeAlias = Literal["begun", "incomplete", "complete"]
_FORMAT = 1
_STORE = "the monitor's store and the answers of candidates in rollouts: name them with --config"
_NOT_SEARCHED = (
    "tables and PredictionLog files (.tfrecord) made of the traffic that were not named with --also",
    "reports: make them anew with `pitfalls monitor report`, once the rows are gone from log and store",
    "baselines and warmup requests of exported models: export a model anew if rows of its reference are to go",
    "backups, other copies of the log, and notifications that were sent",
    "PostgreSQL's write-ahead log, and free blocks of disks",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What an erasure did. Ids and values are keyed hashes, made with the log's key.

    Attributes:
        begun_at: When it began, aware.
        column: The column that was asked for; None for ids.
        ended_at: When it ended, aware; None while it is under way.
        store: What was changed in the monitor's store, by name; empty without one.
    """

    name: str
    begun_at: datetime
    by: str
    request: str
    column: str | None
    ids: tuple[str, ...]
    state: ReceiptState = "begun"
    ended_at: datetime | None = None
    files: tuple[ErasedRows, ...] = ()
    store: dict[str, int] | None = None
    unreached: tuple[Unreached, ...] = ()
    continues: tuple[str, ...] = ()

    @property
    def removed(self) -> int:
        """Rows that went, over all files."""
        return sum(file.removed for file in self.files)

    @property
    def not_searched(self) -> tuple[str, ...]:
        """Where such rows may be, too, and an erasure does not look."""
        is_named = self.store is not None or any(place.what.startswith("store") for place in self.unreached)
        return _NOT_SEARCHED if is_named else (_STORE, *_NOT_SEARCHED)

    def document(self) -> dict[str, object]:
        """The receipt as JSON has it."""
        return {
            "format": _FORMAT,
            **asdict(self),
            "begun_at": self.begun_at.isoformat(),
            "ended_at": None if self.ended_at is None else self.ended_at.isoformat(),
            "removed": self.removed,
            "not_searched": self.not_searched,
        }


def request_hash(key: bytes, selection: tuple[str, ...] | ColumnValue) -> str:
    """The hash of a request: of its ids in any order, or of its column and value."""
    parts = (
        ["ids", *sorted(set(selection))]
        if isinstance(selection, tuple)
        else ["where", selection.column, selection.value]
    )
    return ErasedIds(key=key).hashed([json.dumps(parts)])[0]


def unfinished(root: Path, request: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The receipts of a request that are not complete, and the hashes of their ids."""
    names: set[str] = set()
    hashes: set[str] = set()
    for name in erasure_names(root):
        document = json.loads((root / FOLDER / name).read_text("utf-8"))
        if document["request"] != request:
            continue
        if document["state"] == "complete":
            names.clear()
            hashes.clear()
        else:
            names.add(document["name"])
            hashes.update(document["ids"])
    return tuple(sorted(names)), frozenset(hashes)


class ReceiptFile:
    """A receipt on disk, in the log's folder `erasures`, written anew at each step."""

    def __init__(self, root: Path, receipt: Receipt) -> None:
        """Write a receipt that has begun: from now on no segment is converted, and no label added, with its ids."""
        self.receipt = receipt
        self.path = root / FOLDER / f"{receipt.name}{SUFFIX}"
        self._write()

    def add(self, erased: ErasedRows) -> None:
        """Record a file that is about to be replaced; one that was recorded before is recorded once."""
        others = tuple(file for file in self.receipt.files if (file.kind, file.file) != (erased.kind, erased.file))
        before = [file for file in self.receipt.files if file not in others]
        total = replace(
            erased,
            rows=before[0].rows if before else erased.rows,
            removed=erased.removed + sum(file.removed for file in before),
            sha256_before=before[0].sha256_before if before else erased.sha256_before,
        )
        self.receipt = replace(self.receipt, files=(*others, total))
        self._write()

    def set_store(self, changed: dict[str, int]) -> None:
        """Record what was changed in the monitor's store."""
        self.receipt = replace(self.receipt, store=changed)
        self._write()

    def end(self, unreached: tuple[Unreached, ...], at: datetime) -> Receipt:
        """Record the end of the erasure."""
        state: ReceiptState = "incomplete" if unreached else "complete"
        self.receipt = replace(self.receipt, state=state, unreached=unreached, ended_at=at)
        self._write()
        return self.receipt

    def _write(self) -> None:
        write_text(self.path, json.dumps(self.receipt.document(), indent=1) + "\n")


def new_receipt(
    root: Path,
    selection: tuple[str, ...] | ColumnValue,
    ids: tuple[str, ...],
    *,
    by: str,
    clock: Callable[[], datetime],
) -> tuple[Receipt, ErasedIds]:
    """A receipt for a request, and the ids of an earlier attempt at it that was not complete.

    Args:
        root: The log's folder; its key is made if it has none.

    Returns:
        The receipt, not yet written, whose ids are those of earlier attempts too; and the hashes of these.
    """
    key = log_key(root)
    request = request_hash(key, selection)
    continues, hashes = unfinished(root, request)
    erased = ErasedIds(key=key, hashes=hashes)
    now = clock()
    return (
        Receipt(
            name=f"{now:%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(3)}",
            begun_at=now,
            by=by,
            request=request,
            column=selection.column if isinstance(selection, ColumnValue) else None,
            ids=tuple(sorted({*erased.hashed(list(ids)), *hashes})),
            continues=continues,
        ),
        erased,
    )
