"""The readers of the formats that are built in: each a function of one file.

Sources: SageMaker data capture and ground-truth ingestion (Amazon SageMaker AI Developer Guide); KServe 0.21
``pkg/logger``; request-response logging of Vertex AI endpoints in BigQuery; Databricks inference tables; Open Inference
Protocol v2; Feast 0.67 ``feature_logging``.
"""

from __future__ import annotations

import base64
import binascii
import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from monitoring.errors import BadInput
from monitoring.plugins import READERS, installed_plugins, load_plugin
from monitoring.traffic.foreign_logs.records import CallSide, LoggedSide, LogReader, microseconds, whole_file
from monitoring.traffic.foreign_logs.tensorflow_serving import read_tensorflow_serving

_BATCH = 4096
_CALL: tuple[CallSide, CallSide] = ("request", "response")
#: Versions of the formats that are known, of captures and of CloudEvents; what has another is not guessed at.
_CAPTURE_VERSIONS = ("0",)
_EVENT_VERSIONS = ("0.3", "1.0")
_CAPTURED: tuple[tuple[str, CallSide], ...] = (("endpointInput", "request"), ("endpointOutput", "response"))


def records(path: Path) -> Iterator[Mapping[str, Any] | None]:
    """The records of a file: JSON Lines or JSON, CSV with a header, or Parquet; gzip by its name.

    Yields:
        A record; None for a line that is none.
    """
    suffix = path.name.removesuffix(".gz").rpartition(".")[2]
    with whole_file(path):
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
                record = _record(line)
                if line.strip() and (record is not None or line.endswith("\n")):  # or it is being written
                    yield record


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
        if record is None or not call_id or str(record.get("eventVersion", "0")) not in _CAPTURE_VERSIONS:
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

    An event whose type ends with ``label`` has what was right of the call with its id.
    Its CSV and Parquet files have no times: those are the times at which the files were written.
    """
    written = path.stat().st_mtime_ns // 1_000
    for record in records(path):
        if record is None:
            yield None
            continue
        event = "specversion" in record
        if event and str(record["specversion"]) not in _EVENT_VERSIONS:
            yield None
            continue
        kind = str(record.get("type" if event else "reqType", ""))
        side = next((side for side in (*_CALL, "label") if kind.endswith(side)), None)
        call_id = str(record.get("id") or "")
        body, packed = (record.get("data"), record.get("data_base64")) if event else (None, record.get("bytes"))
        text = _unpacked(packed) if isinstance(packed, str) else None
        if body is not None:
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
                yield LoggedSide(id=call_id, side=side, body=_text(body), at_us=at)


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)


#: Where records of the Open Inference Protocol have their bodies; one without any is a body itself.
_BODIES: tuple[tuple[str, str, CallSide], ...] = (("request", "inputs", "request"), ("response", "outputs", "response"))


def read_open_inference(path: Path) -> Iterator[LoggedSide | None]:
    """Bodies of the Open Inference Protocol v2: both of a call, as ``request`` and ``response``, or one a line.

    The id is the record's or the body's; the time is the record's ``time`` or ``timestamp``, or that of ``parameters``.
    """
    for record in records(path):
        found = [] if record is None else [(side, record[name]) for name, _, side in _BODIES if record.get(name)]
        if record is not None and not found:
            found = [(side, record) for _, key, side in _BODIES if isinstance(record.get(key), list)][:1]
        ids = [_body_id(body) for _, body in found]
        call_id = next((one for one in (str((record or {}).get("id") or ""), *ids) if one), "")
        if record is None or not found or not call_id:
            yield None
            continue
        parameters = record.get("parameters")
        places = (record, parameters if isinstance(parameters, Mapping) else {})
        times = (microseconds(place.get(name)) for place in places for name in ("time", "timestamp"))
        at = next((at for at in times if at is not None), None)
        for side, body in found:
            yield LoggedSide(id=call_id, side=side, body=_text(body), at_us=at)


def _body_id(body: Any) -> str:
    document = _record(body) if isinstance(body, str) else body
    return str(document.get("id") or "") if isinstance(document, Mapping) else ""


#: The columns that Feast adds to those of the features, and the endings of what it says of a feature.
_FEAST_ID, _FEAST_TIME, _FEAST_DATE = "__request_id", "__log_timestamp", "__log_date"
_FEAST_REMARKS = ("__timestamp", "__status")


def read_feast(path: Path) -> Iterator[LoggedSide | None]:
    """The log of a feature service: features that were served, a row for each entity, without any answer.

    Rows of one request follow each other and are one call; features have the names of the log (VIEW__FEATURE).
    """
    call_id, at, rows = "", None, list[Mapping[str, Any]]()
    for record in chain(records(path), [{}]):
        request = "" if record is None else str(record.get(_FEAST_ID) or "")
        if rows and request != call_id:
            yield LoggedSide(id=call_id, side="request", body=json.dumps({"instances": rows}), at_us=at)
            yield LoggedSide(id=call_id, side="response", body="{}", at_us=at)
            rows = []
        if record is None or not request:
            if record != {}:
                yield None
            continue
        call_id, at = request, microseconds(record.get(_FEAST_TIME))
        rows.append({name: _cell(value) for name, value in record.items() if _is_feature(name)})


def _is_feature(name: str) -> bool:
    return name not in {_FEAST_ID, _FEAST_TIME, _FEAST_DATE} and not name.endswith(_FEAST_REMARKS)


def _cell(value: Any) -> Any:
    if isinstance(value, date):  # of which a datetime is one
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


#: The formats that are built in.
FORMATS: Mapping[str, LogReader] = {
    "sagemaker": read_sagemaker,
    "kserve": read_kserve,
    "vertex": partial(_read_rows, of=_VERTEX),
    "databricks": partial(_read_rows, of=_DATABRICKS),
    "mlserver": read_open_inference,
    "feast": read_feast,
    "tfserving": read_tensorflow_serving,
}


def is_label_file(name: str) -> bool:
    """Whether a log's file has labels, whatever the format: its name begins with ``labels``.

    >>> is_label_file("2026/04/labels-05.csv"), is_label_file("2026/04/calls.jsonl")
    (True, False)
    """
    return name.rpartition("/")[2].startswith("labels")


def read_labels(path: Path) -> Iterator[LoggedSide | None]:
    """Labels in a table with the columns ``prediction_id`` and ``label``; rows without a label are none yet."""
    for record in records(path):
        if record is None or not record.get("prediction_id"):
            yield None
            continue
        value = record.get("label")
        if value is None or value == "":
            continue
        text = StringIO()
        csv.writer(text).writerow([value])
        as_csv = isinstance(value, str)
        yield LoggedSide(
            id=str(record["prediction_id"]),
            side="label",
            body=text.getvalue() if as_csv else json.dumps(value),
            content_type="text/csv" if as_csv else "application/json",
        )


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
