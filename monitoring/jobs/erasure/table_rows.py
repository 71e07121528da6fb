"""Erasing rows of tables that were made of the traffic: Parquet, CSV and JSON lines. All other bytes stay."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.errors import BadInput
from monitoring.traffic.erasure.change import Change, replaced_file
from monitoring.traffic.erasure.wanted_rows import WantedRows

PREDICTION_ID = "prediction_id"
_PARQUET = b"PAR1"
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")


def check_table(path: Path, wanted: WantedRows) -> None:
    """Check that a table's wanted rows can be found.

    Raises:
        BadInput: there is no such file, it is no table, or it has neither the ids nor the column that is asked for.
    """
    if not path.is_file():
        _refuse(path, "a folder" if path.is_dir() else "no such file")
    _columns_of_interest(path, _names(path), wanted)


def table_change(path: Path, wanted: WantedRows) -> Change | None:
    """A table without its wanted rows; None if it has none.

    Rows are wanted by their prediction_id, and by the value of the column that was asked for. Of Parquet files the
    schema, its metadata, the row groups and the compression stay; of text files every byte of the other rows.

    Cost: the file is read, and kept in memory if it has wanted rows.

    Args:
        path: The file.
        wanted: The rows.

    Returns:
        The change.

    Raises:
        BadInput: as `check_table`.
    """
    if _is_parquet(path):
        data, rows, removed = _parquet(path, wanted)
    else:
        data, rows, removed = _text(path, wanted)
    if not removed:
        return None
    return replaced_file(path, data, kind="table", name=str(path), rows=rows, removed=removed)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_PARQUET)) == _PARQUET


def _names(path: Path) -> list[str]:
    """The columns of a table; of JSON lines the names in any line."""
    try:
        if _is_parquet(path):
            names: list[str] = pq.read_schema(path).names
            return names
        names = []
        for _, record in _records(path):
            if not isinstance(record, dict):
                return [name.strip().removeprefix("\ufeff") for name in record]
            names = list(dict.fromkeys((*names, *record)))
    except (pa.ArrowException, OSError, ValueError, csv.Error) as error:
        _refuse(path, f"a file that cannot be read: {str(error).partition(chr(10))[0]}")
    return names


def _columns_of_interest(path: Path, names: Sequence[str], wanted: WantedRows) -> tuple[str | None, str | None]:
    """The columns of the ids, and of the value that is asked for, as far as there are any."""
    ids = PREDICTION_ID if PREDICTION_ID in names else None
    value = None if wanted.where is None else wanted.where.column_in(names)
    if ids is None and value is None and names:
        column = "" if wanted.where is None else f" or {wanted.where.column}"
        _refuse(path, f"a table with the columns {', '.join(names[:10])}", f"a column {PREDICTION_ID}{column}")
    return ids, value


def _parquet(path: Path, wanted: WantedRows) -> tuple[bytes, int, int]:
    sink, removed = pa.BufferOutputStream(), 0
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        ids, value = _columns_of_interest(path, schema.names, wanted)
        groups = file.metadata.num_row_groups
        codec = file.metadata.row_group(0).column(0).compression if groups else "zstd"
        with pq.ParquetWriter(sink, schema, compression="none" if codec == "UNCOMPRESSED" else codec) as writer:
            for group in range(groups):
                rows = file.read_row_group(group)
                mask = np.zeros(rows.num_rows, dtype=np.bool_)
                if ids is not None:
                    mask |= wanted.of_ids(rows[ids].cast(pa.string()).combine_chunks())
                if value is not None and wanted.where is not None:
                    mask |= wanted.where.matches(rows[value])
                removed += int(mask.sum())
                writer.write_table(rows.filter(pa.array(~mask)))
        total = file.metadata.num_rows
    return sink.getvalue().to_pybytes(), total, removed


def _text(path: Path, wanted: WantedRows) -> tuple[bytes, int, int]:
    names = _names(path)
    ids, value = _columns_of_interest(path, names, wanted)
    raw: list[str] = []
    cells: list[tuple[str, str]] = []
    header = ""
    for text, record in _records(path):
        if not isinstance(record, dict) and not header:
            header = text
            continue
        row = record if isinstance(record, dict) else dict(zip(names, record, strict=False))
        raw.append(text)
        cells.append((_cell(row, ids), _cell(row, value)))
    mask: NDArray[np.bool_] = wanted.of_ids(pa.array([one for one, _ in cells], pa.string()))
    if value is not None and wanted.where is not None:
        mask |= wanted.where.matches(pa.chunked_array([pa.array([one for _, one in cells], pa.string())]))
    kept = header + "".join(text for text, gone in zip(raw, mask.tolist(), strict=True) if not gone)
    data = kept.encode("utf-8", "surrogateescape")
    return (gzip.compress(data) if path.suffix == ".gz" else data), len(raw), int(mask.sum())


def _cell(row: Mapping[str, object], name: str | None) -> str:
    found = None if name is None else row.get(name)
    return "" if found is None else str(found)


def _records(path: Path) -> Iterator[tuple[str, dict[str, object] | list[str]]]:
    """Each record of a text file with its own text, line end included: of CSV the header first."""
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", errors="surrogateescape", newline="") as file:
        if plain.suffix in _JSON_LINES:
            for line in file:
                found = json.loads(line) if line.strip() else {}
                if not isinstance(found, dict):
                    _refuse(path, "a line that is not an object")
                yield line, found
            return
        if plain.suffix not in _DELIMITERS:
            _refuse(path, f"a file whose name ends in {plain.suffix or 'nothing'}")
        consumed: list[str] = []

        def lines() -> Iterator[str]:
            for line in file:
                consumed.append(line)
                yield line

        for record in csv.reader(lines(), delimiter=_DELIMITERS[plain.suffix], strict=True):
            yield "".join(consumed), record
            consumed.clear()


def _refuse(path: Path, got: str, expected: str = "a Parquet, CSV, TSV or JSON lines file") -> NoReturn:
    raise BadInput(
        "Rows of this table cannot be erased.",
        got=f"{path}: {got}",
        expected=expected,
        fix="Correct --also; delete other files made of the traffic, or make them anew afterwards.",
    )
