"""Logs of other servers become the rows that were served, once each, whatever the form of files and bodies."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.foreign_logs.bodies import Unreadable, body_columns
from monitoring.traffic.foreign_logs.conversion import ConversionCounts, convert_log, log_files, with_labels
from monitoring.traffic.foreign_logs.records import microseconds
from tests.monitoring.traffic.foreign_logs.written_logs import (
    START,
    WRITTEN,
    bodies,
    calls,
    cloud_events,
    databricks,
    expected,
    ground_truth,
    kserve,
    open_inference,
    prediction_logs,
    sagemaker,
    vertex,
    write_lines,
    write_parquet,
)

NAMES = ("income", "shop")


def convert(place: Path, name: str, out: Path, *, names: tuple[str, ...] = NAMES) -> ConversionCounts:
    return convert_log(log_files(place), name, out, names=names)


def rows(out: Path) -> list[dict[str, Any]]:
    """The rows in order of time and id."""
    found = pa.concat_tables([pq.read_table(path) for path in sorted((out / "rows").iterdir())])
    return sorted(found.to_pylist(), key=lambda row: (row["event_time"], row["prediction_id"]))


MADE = calls(40, rows=2)
Write = Callable[[Path], object]
FORMS: dict[str, tuple[str, Write]] = {
    "sagemaker csv": ("sagemaker", lambda to: write_lines(to / "2026/04/05/12/a.jsonl", sagemaker(MADE))),
    "sagemaker json": (
        "sagemaker",
        lambda to: write_lines(to / "a.jsonl", sagemaker(MADE, form="instances", encoding="JSON")),
    ),
    "sagemaker base64": (
        "sagemaker",
        lambda to: write_lines(to / "a.jsonl", sagemaker(MADE, form="lists", encoding="BASE64")),
    ),
    "kserve json": ("kserve", lambda to: (to / "a.json").write_text(json.dumps(kserve(MADE)), "utf-8")),
    "kserve lines": ("kserve", lambda to: write_lines(to / "a.jsonl", kserve(MADE, form="columns"))),
    "kserve parquet": ("kserve", lambda to: write_parquet(to / "a.parquet", kserve(MADE, form="v2"))),
    "cloud events": ("kserve", lambda to: write_lines(to / "a.jsonl", cloud_events(MADE))),
    "vertex": ("vertex", lambda to: pq.write_table(vertex(MADE), to / "a.parquet")),
    "databricks records": ("databricks", lambda to: write_parquet(to / "a.parquet", databricks(MADE))),
    "databricks split": ("databricks", lambda to: write_lines(to / "a.jsonl", databricks(MADE, form="split"))),
    "mlserver": (
        "mlserver",
        lambda to: write_lines(
            to / "a.jsonl",
            [
                {"id": call.id, "time": call.at.isoformat(), "request": one, "response": other}
                for call in MADE
                for one, other, _ in [bodies(call, "v2")]
            ],
        ),
    ),
    "open inference bodies": ("mlserver", lambda to: write_lines(to / "a.jsonl", open_inference(MADE))),
    "mlserver's own": ("mlserver", lambda to: shutil.copy(WRITTEN / "mlserver.json", to)),
    "tfserving predict": ("tfserving", lambda to: (to / "a.tfrecord").write_bytes(prediction_logs(MADE))),
    "tfserving gzip": (
        "tfserving",
        lambda to: (to / "a.tfrecord.gz").write_bytes(gzip.compress(prediction_logs(MADE))),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_format_gives_the_rows_that_were_served(form: str, tmp_path: Path) -> None:
    name, write = FORMS[form]
    (tmp_path / "log").mkdir()
    write(tmp_path / "log")
    counts = convert(tmp_path / "log", name, tmp_path / "out", names=NAMES if "records" not in form else ())
    assert counts == ConversionCounts(calls=40, rows=80)
    found = rows(tmp_path / "out")
    if name == "tfserving":  # its records have no ids
        assert len({row["prediction_id"] for row in found}) == 80
        assert without_ids(found) == without_ids(expected(MADE))
    else:
        assert found == expected(MADE)


def without_ids(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without their ids, in order of what they have."""
    bare = [{name: row[name] for name in ("event_time", "income", "shop", "prediction")} for row in found]
    return sorted(bare, key=lambda row: tuple(row.values()))


def test_features_of_examples_are_columns(tmp_path: Path) -> None:
    path = tmp_path / "log" / "a.tfrecord"
    path.parent.mkdir()
    torn = prediction_logs(MADE, examples=True)
    path.write_bytes(torn[:-5])
    assert convert(tmp_path / "log", "tfserving", tmp_path / "out").calls == 39
    path.write_bytes(torn)
    assert convert(tmp_path / "log", "tfserving", tmp_path / "out") == ConversionCounts(calls=40, rows=80)
    found = [{**row, "prediction": round(row.pop("outputs"), 6)} for row in rows(tmp_path / "out")]
    assert without_ids(found) == without_ids(expected(MADE))


@pytest.mark.parametrize("name", ["a.tfrecord.gz", "a.jsonl.gz"])
@pytest.mark.parametrize("damage", ["another format", "cut off", "a byte changed"])
def test_a_damaged_compressed_file_is_refused_by_name(tmp_path: Path, name: str, damage: str) -> None:
    compressed = gzip.compress(prediction_logs(MADE))
    middle = len(compressed) // 2
    content = {
        "another format": b"no gzip at all",
        "cut off": compressed[:middle],
        "a byte changed": compressed[:12] + bytes(each ^ 0xFF for each in compressed[12:40]) + compressed[40:],
    }[damage]
    path = tmp_path / "log" / name
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(BadInput, match=name):
        convert(tmp_path / "log", "tfserving" if "tfrecord" in name else "kserve", tmp_path / "out")


def test_a_feature_service_logs_features_and_no_answers(tmp_path: Path) -> None:
    convert(WRITTEN / "feast.parquet", "feast", tmp_path / "out")
    assert rows(tmp_path / "out") == [
        {
            "prediction_id": row["prediction_id"],
            "event_time": row["event_time"],
            "customer": f"c{place}",
            "loans__income": row["income"],
            "loans__shop": row["shop"],
        }
        for place, row in enumerate(expected(MADE))
    ]


def test_labels_of_any_format_lie_beside_the_calls_by_the_ids_of_rows(tmp_path: Path) -> None:
    write_lines(tmp_path / "log/a.jsonl", kserve(MADE))
    (tmp_path / "log/labels-april.csv").write_text(
        'prediction_id,label\ncall-1:0,"yes, late"\ncall-1:1,\n,1\n', "utf-8"
    )
    write_lines(tmp_path / "log/labels.jsonl", [{"prediction_id": "call-2:1", "label": "no"}])
    counts = convert(tmp_path / "log", "kserve", tmp_path / "out")
    assert (counts.rows, counts.labels, counts.unreadable) == (80, 2, 1)
    with_labels(tmp_path / "out", tmp_path / "joined.parquet")
    joined = {row["prediction_id"]: row["label"] for row in pq.read_table(tmp_path / "joined.parquet").to_pylist()}
    assert {key: label for key, label in joined.items() if label} == {"call-1:0": "yes, late", "call-2:1": "no"}


def test_other_versions_and_clocks_that_differ_are_counted_and_told(tmp_path: Path) -> None:
    records = cloud_events(MADE[:4])
    records[1] |= {"time": (START - timedelta(seconds=3)).isoformat()}
    for record in records[6:]:
        record |= {"specversion": "2.0"}
    write_lines(tmp_path / "log/a.jsonl", records)
    counts = convert(tmp_path / "log", "kserve", tmp_path / "out")
    assert counts == ConversionCounts(calls=3, rows=6, unreadable=2, reversed=1)
    assert rows(tmp_path / "out") == expected(MADE[:3])
    assert counts.remarks()[-1] == (
        "1 call is answered before the request, by the log's clocks; the request's time counts."
    )
    write_lines(tmp_path / "new/a.jsonl", [{**sagemaker(MADE)[0], "eventVersion": "1"}])
    assert convert(tmp_path / "new", "sagemaker", tmp_path / "other").unreadable == 1


def test_a_csv_file_of_kserve_has_no_times_and_takes_those_of_the_file(tmp_path: Path) -> None:
    records = [{key: value for key, value in one.items() if key != "occurrenceTime"} for one in kserve(MADE)]
    path = tmp_path / "log" / "a.csv"
    path.parent.mkdir()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, records[0])
        writer.writeheader()
        writer.writerows(records)
    os.utime(path, (START.timestamp(), START.timestamp()))
    convert(tmp_path / "log", "kserve", tmp_path / "out")
    assert {row["event_time"] for row in rows(tmp_path / "out")} == {START}


def test_truth_is_joined_to_a_reference_by_the_ids_of_rows(tmp_path: Path) -> None:
    write_lines(tmp_path / "log/capture/a.jsonl", sagemaker(MADE))
    write_lines(tmp_path / "log/truth/a.jsonl", ground_truth(MADE[:30]))
    counts = convert(tmp_path / "log", "sagemaker", tmp_path / "out")
    assert (counts.rows, counts.labels, counts.unpaired) == (80, 30, 0)
    with_labels(tmp_path / "out", tmp_path / "joined.parquet")
    joined = pq.read_table(tmp_path / "joined.parquet").to_pylist()
    assert len(joined) == 80
    for row in joined:
        known = int(row["prediction_id"].split("-")[1].split(":")[0]) < 30
        assert row["label"] == (float(row["prediction"] > 0.5) if known else None)


def test_sides_that_come_in_other_files_and_days_are_joined_and_none_is_read_twice(tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    records = kserve(MADE)
    requests, responses = records[::2], records[1::2]
    write_lines(log / "b.jsonl", responses[:20])
    write_lines(log / "a.jsonl", requests[:30])
    assert convert(log, "kserve", out).unpaired == 10
    assert convert(log, "kserve", out) == convert(log, "kserve", out)
    write_lines(log / "a.jsonl", requests)  # it has grown
    write_lines(log / "c.jsonl", responses[20:])
    assert convert(log, "kserve", out) == ConversionCounts(calls=40, rows=80)
    assert rows(out) == expected(MADE)


def test_a_file_that_was_written_anew_is_read_as_a_whole(tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    write_lines(log / "a.jsonl", sagemaker(MADE[:20]))
    convert(log, "sagemaker", out)
    write_lines(log / "a.jsonl", sagemaker(MADE[20:]))
    assert convert(log, "sagemaker", out).calls == 40
    assert rows(out) == expected(MADE)


def test_a_process_that_was_killed_after_its_rows_and_before_its_state_doubles_none(tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    write_lines(log / "a.jsonl", sagemaker(MADE[:20]))
    convert(log, "sagemaker", out)
    state = (out / "state.json").read_bytes()
    waiting = {path: path.read_bytes() for path in out.glob("waiting-*")}
    write_lines(log / "b.jsonl", sagemaker(MADE[20:]))
    convert(log, "sagemaker", out)
    (out / "state.json").write_bytes(state)
    for path, data in waiting.items():
        path.write_bytes(data)
    convert(log, "sagemaker", out)
    assert rows(out) == expected(MADE)


def test_what_is_no_record_is_counted_and_told_and_ends_nothing(tmp_path: Path) -> None:
    good = sagemaker(MADE[:3])
    half = {**good[2], "captureData": {"endpointInput": good[2]["captureData"]["endpointInput"]}}
    untimed = {**good[1], "eventMetadata": {"eventId": "later"}}
    wrong = {**good[1], "eventMetadata": {**good[1]["eventMetadata"], "eventId": "wrong"}}
    wrong["captureData"] = {**wrong["captureData"], "endpointOutput": {"data": "1\n2\n3", "encoding": "CSV"}}
    lines = [json.dumps(one) for one in (good[0], half, untimed, wrong)]
    lines += ["{", "[1]", '"text"', "{}", '{"a":' * 50_000, "  ", "nonsense"]
    path = tmp_path / "log" / "a.jsonl.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    counts = convert(tmp_path / "log", "sagemaker", tmp_path / "out")
    assert counts == ConversionCounts(calls=1, rows=2, unpaired=1, unreadable=7, untimed=1)
    assert rows(tmp_path / "out") == expected(MADE[:1])
    assert counts.remarks() == (
        "1 side of a call is without the other, and counted as no row until it comes.",
        "7 records of the log are unreadable, or of another version of its format, and left out.",
        "1 call is without a time, and left out.",
    )


@pytest.mark.parametrize(
    ("file", "data", "said"),
    [
        ("a.parquet", b"PAR1 no", "cannot be read"),
        ("a.jsonl.gz", b"no gzip", "cannot be read"),
        ("a.txt", b"{}", "There is no such log"),
    ],
)
def test_what_is_no_log_is_refused_in_one_sentence(file: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / file).write_bytes(data)
    with pytest.raises(BadInput, match=said):
        convert(tmp_path / "log", "sagemaker", tmp_path / "out")
    with pytest.raises(BadInput, match="no reader of this log"):
        convert(tmp_path / "log", "sagemakr", tmp_path / "out")


def test_other_names_than_before_are_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "log/a.jsonl", sagemaker(MADE))
    convert(tmp_path / "log", "sagemaker", tmp_path / "out")
    with pytest.raises(BadInput, match="in another way before"):
        convert(tmp_path / "log", "sagemaker", tmp_path / "out", names=("x", "y"))


def check_columns(body: str, content_type: str) -> None:
    try:
        columns = body_columns(body, content_type, (), default="input")
    except Unreadable:
        return
    assert len({len(cells) for cells in columns.values()}) <= 1


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_columns_of_one_length_or_unreadable(body: str) -> None:
    check_columns(body, "text/csv")
    check_columns(body, "application/json")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["instances", "inputs", "data", "shape", "name", "dataframe_split", "a"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_columns_of_one_length_or_unreadable(document: Any) -> None:
    check_columns(json.dumps(document), "application/json")
    check_columns(json.dumps({"inputs": [{"name": "x", "data": document, "shape": [2, document]}]}), "application/json")


def test_times_of_all_kinds_are_utc() -> None:
    moment = int(START.timestamp() * 1e6)
    seconds = START.timestamp()
    for value in (START, START.isoformat(), "2026-04-05T12:00:00", seconds, seconds * 1000, moment):
        assert microseconds(value) == moment
    assert [microseconds(value) for value in ("", "12", None, True, -1)] == [None] * 5
