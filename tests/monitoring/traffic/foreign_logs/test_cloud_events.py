"""CloudEvents as they come by HTTP are the calls that were sent, in whatever mode, order and batch."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.foreign_logs.cloud_events import append_events, events_of
from monitoring.traffic.foreign_logs.conversion import ConversionCounts, convert_log, log_files
from tests.monitoring.traffic.foreign_logs.written_logs import START, calls, cloud_events, expected

MADE = calls(6, rows=2)
Request = tuple[dict[str, str], bytes]


def structured(event: Mapping[str, Any]) -> Request:
    return {"content-type": "application/cloudevents+json; charset=utf-8"}, json.dumps(event).encode()


def binary(event: Mapping[str, Any]) -> Request:
    names = ("specversion", "id", "type", "source", "time")
    headers = {f"ce-{name}": event[name].replace(" ", "%20") for name in names}
    return {**headers, "content-type": "application/json"}, json.dumps(event["data"]).encode()


def packed(event: Mapping[str, Any]) -> Request:
    data = base64.b64encode(json.dumps(event["data"]).encode()).decode()
    return structured({**{name: value for name, value in event.items() if name != "data"}, "data_base64": data})


def converted(folder: Path, out: Path) -> tuple[ConversionCounts, list[dict[str, Any]]]:
    counts = convert_log(log_files(folder), "kserve", out)
    rows = [row for path in sorted((out / "rows").iterdir()) for row in pq.read_table(path).to_pylist()]
    return counts, sorted(rows, key=lambda row: (row["event_time"], row["prediction_id"]))


@pytest.mark.parametrize("mode", [structured, binary, packed])
def test_events_of_each_mode_are_the_calls(mode: Callable[[Mapping[str, Any]], Request], tmp_path: Path) -> None:
    for event in reversed(cloud_events(MADE)):  # responses before their requests
        append_events(tmp_path / "log", events_of(*mode(event)), START)
    counts, rows = converted(tmp_path / "log", tmp_path / "out")
    assert rows == expected(MADE)
    assert (counts.calls, counts.unpaired, counts.unreadable) == (6, 0, 0)


def test_a_batch_half_a_pair_labels_and_a_line_that_was_cut_short(tmp_path: Path) -> None:
    *events, half = cloud_events(MADE)
    truth = {**half, "id": MADE[0].id, "type": "shop.label", "data": [1, 0]}
    headers = {"content-type": "application/cloudevents-batch+json"}
    append_events(tmp_path / "log", events_of(headers, json.dumps(events).encode()), START)
    (file,) = (tmp_path / "log").rglob("*.jsonl")
    assert file.relative_to(tmp_path / "log").as_posix() == f"{START:%Y/%m/%d}/events-{START:%H}.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:40])  # what a full disk left, or another process is writing
    first, rows = converted(tmp_path / "log", tmp_path / "out")
    assert (first.calls, first.unpaired, first.unreadable, len(rows)) == (5, 1, 0, 10)
    append_events(tmp_path / "log", [truth, half], START)
    counts, rows = converted(tmp_path / "log", tmp_path / "out")
    assert (counts.calls, counts.unpaired, counts.unreadable, counts.labels) == (6, 0, 1, 1)
    assert rows == expected(MADE)
    (labels,) = (tmp_path / "out" / "labels").iterdir()
    assert pq.read_table(labels).to_pylist() == [
        {"prediction_id": f"{MADE[0].id}:{place}", "label": label} for place, label in enumerate((1.0, 0.0))
    ]


def test_an_event_without_a_time_has_that_at_which_it_came(tmp_path: Path) -> None:
    for event in cloud_events(MADE[:1]):
        headers, body = binary(event)
        append_events(tmp_path, events_of({n: v for n, v in headers.items() if n != "ce-time"}, body), START)
    assert {row["event_time"] for row in converted(tmp_path, tmp_path / "out")[1]} == {START}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"{}"),
        ({"content-type": "application/cloudevents+json"}, b"{"),
        ({"content-type": "application/cloudevents+json"}, b"[]"),
        ({"content-type": "application/cloudevents-batch+json"}, b'{"id": "a"}'),
        ({"ce-id": "a", "ce-type": "request", "ce-source": "x"}, b"{}"),
        ({"content-type": "application/cloudevents+json"}, b"[" * 100_000),
    ],
)
def test_what_is_no_event_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(BadInput, match="no CloudEvent"):
        events_of(headers, body)


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file", "utf-8")
    with pytest.raises(CannotRun, match="No event was kept"):
        append_events(tmp_path / "log", cloud_events(MADE), START)
