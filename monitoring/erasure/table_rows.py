"""Erasing rows of tables made of the traffic: Parquet, CSV, JSON lines and prediction logs. All other bytes stay."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.baseline.folder import DESCRIPTION, REFERENCE
from monitoring.erasure.change import Change, replaced_file
from monitoring.erasure.wanted_rows import WantedRows
from monitoring.errors import BadInput
from monitoring.traffic.format.rows import ANSWER_ID, INPUT, OUTPUT, AnsweredRows
from monitoring.traffic.tables.tfrecord_files import TFRECORD
from monitoring.traffic.tf_prediction_log.example_records import KINDS, REGRESS
from monitoring.traffic.tf_prediction_log.prediction_log import RequestMetadata, own_field, own_metadata, record_rows
from monitoring.traffic.tf_prediction_log.tfrecord import RecordReader, write_record

PREDICTION_ID = "prediction_id"
_PARQUET = b"PAR1"
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")


def check_table(path: Path, wanted: WantedRows, id_column: str = PREDICTION_ID) -> None:
    """Check that a table's wanted rows can be found, by ``prediction_id`` or else by another name of its ids."""
    if not path.is_file():
        _refuse(path, "a folder" if path.is_dir() else "no such file")
    if path.with_name(DESCRIPTION).is_file() and path.name == REFERENCE:
        _refuse(path, "the rows of a baseline, whose statistics hold them too", fix=_BASELINE)
    if path.name.endswith(TFRECORD):
        _prediction_log(path, wanted)
        return
    _columns_of_interest(path, _names(path), wanted, id_column)


def table_change(path: Path, wanted: WantedRows, id_column: str = PREDICTION_ID) -> Change | None:
    """A table without its wanted rows; None if it has none.

    Rows are wanted by their prediction_id, and by the value of the column that was asked for. Of Parquet files the
    schema, its metadata, the row groups and the compression stay; of text files every byte of the other rows.

    Cost: the file is read, and kept in memory if it has wanted rows.
    """
    if path.name.endswith(TFRECORD):
        data, rows, removed = _prediction_log(path, wanted)
    elif _is_parquet(path):
        data, rows, removed = _parquet(path, wanted, id_column)
    else:
        data, rows, removed = _text(path, wanted, id_column)
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


def _columns_of_interest(
    path: Path, names: Sequence[str], wanted: WantedRows, id_column: str
) -> tuple[str | None, str | None]:
    """The columns of the ids, and of the value that is asked for, as far as there are any."""
    ids = next((name for name in (PREDICTION_ID, id_column) if name in names), None)
    value = None if wanted.where is None else wanted.where.column_in(names)
    if ids is None and value is None and names:
        column = "" if wanted.where is None else f" or {wanted.where.column}"
        _refuse(path, f"a table with the columns {', '.join(names[:10])}", f"a column {id_column}{column}")
    return ids, value


def _parquet(path: Path, wanted: WantedRows, id_column: str) -> tuple[bytes, int, int]:
    sink, removed = pa.BufferOutputStream(), 0
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        ids, value = _columns_of_interest(path, schema.names, wanted, id_column)
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


def _prediction_log(path: Path, wanted: WantedRows) -> tuple[bytes, int, int]:
    def gone(rows: AnsweredRows) -> NDArray[np.bool_]:
        ids = {"request_id": rows.request_ids, "row": rows.rows, ANSWER_ID: rows.answer_ids}
        mask = wanted.of_rows(pa.table({name: pa.array(values) for name, values in ids.items()}))
        tensors = {f"{INPUT}{name}": value for name, value in rows.inputs.items()}
        tensors |= {f"{OUTPUT}{name}": value for name, value in rows.outputs.items()}
        column = None if wanted.where is None else wanted.where.column_in(list(tensors))
        if column is not None and wanted.where is not None:
            mask |= wanted.where.matches(_cells(tensors[column]))
        return mask

    return without_rows(path, gone)


def _cells(tensor: NDArray[Any]) -> pa.ChunkedArray:
    """The elements of each row of a tensor as a list; none for numbers that Arrow does not have."""
    flat = tensor.reshape(len(tensor), -1)
    try:
        values = pa.array(flat.ravel(), pa.binary() if flat.dtype == object else None)
    except pa.ArrowNotImplementedError:
        return pa.chunked_array([pa.nulls(len(tensor), pa.list_(pa.null()))])
    offsets = pa.array(np.arange(len(tensor) + 1, dtype=np.int32) * flat.shape[1])
    return pa.chunked_array([pa.ListArray.from_arrays(offsets, values)])


def _text(path: Path, wanted: WantedRows, id_column: str) -> tuple[bytes, int, int]:
    names = _names(path)
    ids, value = _columns_of_interest(path, names, wanted, id_column)
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
    mask: NDArray[np.bool_] = wanted.of_ids(pa.array([row_id for row_id, _ in cells], pa.string()))
    if value is not None and wanted.where is not None:
        mask |= wanted.where.matches(pa.chunked_array([pa.array([value for _, value in cells], pa.string())]))
    content = header + "".join(text for text, gone in zip(raw, mask.tolist(), strict=True) if not gone)
    data = content.encode("utf-8", "surrogateescape")
    return (gzip.compress(data) if path.suffix == ".gz" else data), len(raw), int(mask.sum())


def _cell(row: Mapping[str, object], name: str | None) -> str:
    value = None if name is None else row.get(name)
    return "" if value is None else str(value)


def _records(path: Path) -> Iterator[tuple[str, dict[str, object] | list[str]]]:
    """Each record of a text file with its own text, line end included: of CSV the header first."""
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", errors="surrogateescape", newline="") as file:
        if plain.suffix in _JSON_LINES:
            for line in file:
                document = json.loads(line) if line.strip() else {}
                if not isinstance(document, dict):
                    _refuse(path, "a line that is not an object")
                yield line, document
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


_KINDS = "a Parquet, CSV, TSV, JSON lines or PredictionLog (.tfrecord) file"
_OTHERS = "Correct --also; delete other files made of the traffic, or make them anew afterwards."
_REPORT = "Make it anew with `pitfalls monitor report` once the rows are gone from the log and, by --config, the store."
_BASELINE = "Export the model, or run `pitfalls monitor init`, anew from a reference without the rows."


def _refuse(path: Path, got: str, expected: str = _KINDS, *, fix: str = "") -> NoReturn:
    raise BadInput(
        "Rows of this table cannot be erased.",
        got=f"{path}: {got}",
        expected=expected,
        fix=fix or (_REPORT if path.suffix == ".html" else _OTHERS),
    )


def without_rows(path: Path, gone: Callable[[AnsweredRows], NDArray[np.bool_]]) -> tuple[bytes, int, int]:
    """The bytes of a file whose records have lost some rows.

    A record that loses some of its rows becomes one for each stretch of those that stay, each with its own first row.

    Args:
        gone: Which of a record's rows go, bool [n].

    Returns:
        The bytes, how many rows the file has, and how many of them go.

    Raises:
        OSError: the file cannot be read.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - with the next
    from tensorflow_serving.apis import prediction_log_pb2  # noqa: PLC0415 - imports TensorFlow

    out, rows, removed = BytesIO(), 0, 0
    with path.open("rb") as file:
        reader = RecordReader(file, str(path))
        for number, record in enumerate(reader):
            try:
                log = prediction_log_pb2.PredictionLog.FromString(record)
            except DecodeError:
                _reject(path, f"record {number}, which is no PredictionLog")
            if log.WhichOneof("log_type") not in {"predict_log", *KINDS}:
                _reject(path, f"record {number}, which is no prediction")
            default_id = f"{path.stem}-{number}"
            answered = record_rows(log, default_id, partial(_reject, path, f"record {number}, which has no rows"))
            mask = gone(answered)
            rows, removed = rows + answered.count, removed + int(mask.sum())
            metadata = own_metadata(log.log_metadata, default_id)
            if not mask.any():
                write_record(out, record)
            elif metadata is None:
                _reject(path, f"record {number} of another server: without it the ids of later records would change")
            else:
                for part in _stretches(log, metadata, ~mask):
                    write_record(out, part)
    if reader.torn_bytes:
        _reject(path, "a last record that is not whole: it is still being written, or its writer was interrupted")
    return out.getvalue(), rows, removed


def _stretches(log: Any, metadata: RequestMetadata, mask: NDArray[np.bool_]) -> Iterator[bytes]:
    """A record for each stretch of rows that stay."""
    for stays, group in groupby(range(mask.size), key=lambda row: bool(mask[row])):
        if not stays:
            continue
        places = list(group)
        first, last = places[0], places[-1] + 1
        part = type(log)()
        part.CopyFrom(log)
        kind = part.WhichOneof("log_type")
        _keep(getattr(part, kind), kind, first, last)
        part.log_metadata.DiscardUnknownFields()
        part.log_metadata.MergeFromString(own_field(replace(metadata, first_row=metadata.first_row + first)))
        yield part.SerializeToString(deterministic=True)


def _keep(record: Any, kind: str, first: int, last: int) -> None:
    """Keep some rows of a record, from `first` to before `last`."""
    if kind in KINDS:
        result = record.response.result
        answers = result.regressions if kind == REGRESS else result.classifications
        for items in (record.request.input.example_list.examples, answers):
            del items[last:]
            del items[:first]
        return
    for tensor in (*record.request.inputs.values(), *record.response.outputs.values()):
        count = tensor.tensor_shape.dim[0].size
        if tensor.tensor_content:
            width = len(tensor.tensor_content) // count
            tensor.tensor_content = tensor.tensor_content[first * width : last * width]
        width = len(tensor.string_val) // count
        del tensor.string_val[last * width :]
        del tensor.string_val[: first * width]
        tensor.tensor_shape.dim[0].size = last - first


def _reject(path: Path, got: str) -> NoReturn:
    raise BadInput(
        "Rows of these records cannot be erased.",
        got=f"{path}: {got}",
        expected="whole records of `pitfalls traffic DIR --to FILE.tfrecord`",
        fix="Delete the file, and write it anew from the log once the rows are gone there.",
    )
