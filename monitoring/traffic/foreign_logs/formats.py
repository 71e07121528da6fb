"""The readers of the formats that are built in: each a function of one file.

Sources: SageMaker data capture and ground-truth ingestion (Amazon SageMaker AI Developer Guide); KServe 0.21
``pkg/logger``; request-response logging of Vertex AI endpoints in BigQuery; Databricks inference tables; Open Inference
Protocol v2.
"""

from __future__ import annotations

import base64
import binascii
import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.errors import BadInput
from monitoring.plugins import READERS, installed_plugins, load_plugin
from monitoring.traffic.foreign_logs.records import CallSide, LoggedSide, LogReader, microseconds

_BATCH = 4096
_CALL: tuple[CallSide, CallSide] = ("request", "response")
_CAPTURED: tuple[tuple[str, CallSide], ...] = (("endpointInput", "request"), ("endpointOutput", "response"))


def records(path: Path) -> Iterator[Mapping[str, Any] | None]:
    """The records of a file: JSON Lines or JSON, CSV with a header, or Parquet; gzip by its name.

    Yields:
        A record; None for a line that is none.
    """
    suffix = path.name.removesuffix(".gz").rpartition(".")[2]
    try:
        if suffix in {"parquet", "pq"}:
            for batch in pq.ParquetFile(path).iter_batches(_BATCH):
                yield from batch.to_pylist()
            return
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            if suffix == "csv":
                yield from csv.DictReader(file)
                return
            first = next((line for line in file if line.strip()), "")
            if first.lstrip().startswith("["):
                yield from json.loads(first + file.read())
                return
            for line in chain([first], file):
                if line.strip():
                    yield _record(line)
    except (OSError, EOFError, UnicodeDecodeError, ValueError, csv.Error, RecursionError, pa.ArrowException) as error:
        raise BadInput(
            "A file of the log cannot be read.",
            got=f"{path}: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            expected="JSON Lines, JSON, CSV or Parquet, whole; compressed files end in .gz",
            fix="Fetch it again, or move it out of the folder.",
        ) from error


def _record(line: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None


def read_sagemaker(path: Path) -> Iterator[LoggedSide | None]:
    """Data capture of an endpoint or of batch transform, and files of ground truth."""
    for record in records(path):
        metadata = {} if record is None else record.get("eventMetadata") or {}
        call_id = str(metadata.get("inferenceId") or metadata.get("eventId") or "")
        if record is None or not call_id:
            yield None
            continue
        at = microseconds(metadata.get("inferenceTime"))
        if isinstance(truth := record.get("groundTruthData"), Mapping):
            yield _captured(truth, call_id, "label", at)
            continue
        capture = record.get("captureData") or {}
        for name, side in _CAPTURED:
            if isinstance(data := capture.get(name), Mapping):
                yield _captured(data, call_id, side, at)


def _captured(data: Mapping[str, Any], call_id: str, side: CallSide, at_us: int | None) -> LoggedSide | None:
    body, encoding = data.get("data"), str(data.get("encoding", "JSON")).upper()
    if not isinstance(body, str):
        return None
    text = _unpacked(body) if encoding == "BASE64" else body
    content_type = str(data.get("observedContentType") or ("text/csv" if encoding == "CSV" else "application/json"))
    return (
        None if text is None else LoggedSide(id=call_id, side=side, body=text, content_type=content_type, at_us=at_us)
    )


def _unpacked(body: str) -> str | None:
    try:
        return base64.b64decode(body, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def read_kserve(path: Path) -> Iterator[LoggedSide | None]:
    """Files of the inference logger (JSON, CSV, Parquet), and CloudEvents as its sink gets them, one a line.

    Its CSV and Parquet files have no times: those are the times at which the files were written.
    """
    written = path.stat().st_mtime_ns // 1_000
    for record in records(path):
        if record is None:
            yield None
            continue
        event = "specversion" in record
        kind = str(record.get("type" if event else "reqType", ""))
        side = next((side for side in _CALL if kind.endswith(side)), None)
        call_id = str(record.get("id") or "")
        body = record.get("data") if event else record.get("bytes")
        text = _unpacked(body) if isinstance(body, str) and not event else None
        if event and body is not None:
            text = body if isinstance(body, str) else json.dumps(body)
        if side is None or not call_id or text is None:
            yield None
            continue
        at = microseconds(record.get("time") if event else record.get("occurrenceTime"))
        content_type = str(record.get("datacontenttype" if event else "contentType") or "application/json")
        yield LoggedSide(
            id=call_id, side=side, body=text, content_type=content_type, at_us=written if at is None else at
        )


#: Of a table with the request and the response of a call in one row: its id, its time, and the two bodies.
_VERTEX = (("request_id", "requestId"), ("logging_time", "loggingTime"), "request_payload", "response_payload")
_DATABRICKS = (("client_request_id", "databricks_request_id"), ("request_time", "timestamp_ms"), "request", "response")
_MLSERVER = (("id",), ("time", "timestamp"), "request", "response")


def _read_rows(path: Path, of: tuple[tuple[str, ...], tuple[str, ...], str, str]) -> Iterator[LoggedSide | None]:
    ids, times, request, response = of
    for record in records(path):
        call_id = "" if record is None else str(next((record[name] for name in ids if record.get(name)), ""))
        if record is None or not call_id:
            yield None
            continue
        at = next((at for name in times if (at := microseconds(record.get(name))) is not None), None)
        for name, side in zip((request, response), _CALL, strict=True):
            body = record.get(name)
            if isinstance(body, list) and body and all(isinstance(each, str) for each in body):  # Vertex: one a row
                body = f"[{','.join(body)}]"
            if body is not None:
                text = body if isinstance(body, str) else json.dumps(body)
                yield LoggedSide(id=call_id, side=side, body=text, at_us=at)


#: The formats that are built in.
FORMATS: Mapping[str, LogReader] = {
    "sagemaker": read_sagemaker,
    "kserve": read_kserve,
    "vertex": partial(_read_rows, of=_VERTEX),
    "databricks": partial(_read_rows, of=_DATABRICKS),
    "mlserver": partial(_read_rows, of=_MLSERVER),
}


def reader_named(name: str) -> LogReader:
    """The reader of a format. Raises BadInput for a name that is neither built in nor an installed plug-in."""
    if name in FORMATS:
        return FORMATS[name]
    if name not in (plugins := installed_plugins(READERS)):
        raise BadInput(
            "There is no reader of this log.",
            got=name,
            expected=", ".join((*FORMATS, *plugins)),
            fix="Correct the format's name, or install a plug-in that reads it.",
        )
    plugin: LogReader = load_plugin(READERS, name)
    return plugin
