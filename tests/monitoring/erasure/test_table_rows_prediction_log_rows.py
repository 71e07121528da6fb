"""Prediction logs lose single rows: the others are read as before, and records without such rows stay as they were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from monitoring.erasure.table_rows import without_rows
from monitoring.errors import BadInput
from monitoring.timestamps import EPOCH
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.tf_prediction_log.prediction_log import export_log, import_log
from monitoring.traffic.tf_prediction_log.tfrecord import RecordReader, write_record

Answer = Callable[..., AnsweredRows]


def written(folder: Path, *answers: AnsweredRows) -> Path:
    """Answers as a log, and that as a prediction log."""
    writer = TrafficWriter(folder / "log", clock=lambda: EPOCH)
    for one in answers:
        writer.append(one)
    writer.close()
    path = folder / "log.tfrecord"
    with path.open("wb") as file:
        export_log(folder / "log", file)
    return path


def of_one_record(rows: AnsweredRows) -> AnsweredRows:
    """Rows that are asked for at one time, which share a record."""
    return replace(rows, event_times_us=np.full(rows.count, rows.event_times_us[0]))


def table(folder: Path, path: Path) -> list[dict[str, object]]:
    """The rows of a prediction log, as a log has them."""
    writer = TrafficWriter(folder, clock=lambda: EPOCH)
    import_log(path, writer.append)
    writer.close()
    found: list[dict[str, object]] = TrafficLog(folder).table().to_pylist()
    return found


def records(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return list(RecordReader(file, str(path)))


def of_ids(*ids: str) -> Callable[[AnsweredRows], NDArray[np.bool_]]:
    return lambda rows: np.array(
        [f"{name}:{row}" in ids for name, row in zip(rows.request_ids, rows.rows, strict=True)], np.bool_
    )


def test_rows_go_and_all_others_are_as_they_were(tmp_path: Path, answer: Answer) -> None:
    many = answer("many", 5)
    words = np.array([[b"a", b"bc"], [b"", b"d"], [b"e", b"f"], [b"g", b"h"], [b"i", b"jkl"]], dtype=object)
    many = replace(many, inputs={**many.inputs, "words": words})
    path = written(tmp_path, *map(of_one_record, (answer("one", 2), many, answer("two", 1))))
    before, old = table(tmp_path / "before", path), records(path)
    gone = ("many:0", "many:2", "two:0")
    data, rows, removed = without_rows(path, of_ids(*gone))
    assert (rows, removed) == (8, 3)
    path.write_bytes(data)
    after = table(tmp_path / "after", path)
    assert after == [row for row in before if row["prediction_id"] not in gone]
    assert len(after) == 5
    new = records(path)
    assert (len(old), len(new), new[0]) == (3, 3, old[0])  # the second became two, and the third went
    assert without_rows(path, of_ids(*gone)) == (data, 5, 0)


def test_rows_of_classifications_go_with_their_examples(tmp_path: Path, answer: Answer) -> None:
    from tensorflow.core.example.example_pb2 import Example

    examples = np.empty(3, object)
    for place in range(3):
        one = Example()
        one.features.feature["n"].int64_list.value.append(place)
        examples[place] = one.SerializeToString(deterministic=True)
    classified = {"scores": np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]], np.float32)}
    regressed = {"outputs": np.array([1.0, 2.0, 3.0], np.float32)}
    for name, outputs in (("classify", classified), ("regress", regressed)):
        rows = replace(of_one_record(answer(name, 3)), inputs={"inputs": examples}, outputs=outputs)
        path = written(tmp_path / name, rows)
        before = table(tmp_path / name / "before", path)
        data, _, removed = without_rows(path, of_ids(f"{name}:1"))
        path.write_bytes(data)
        assert removed == 1
        assert table(tmp_path / name / "after", path) == [before[0], before[2]]


def test_what_cannot_be_erased_exactly_is_refused(tmp_path: Path, answer: Answer) -> None:
    from tensorflow_serving.apis import prediction_log_pb2

    path = written(tmp_path, answer("one", 2))
    whole = path.read_bytes()
    everything = lambda rows: np.ones(rows.count, np.bool_)  # noqa: E731 - a function of one line
    path.write_bytes(whole[:-3])
    with pytest.raises(BadInput, match="a last record that is not whole"):
        without_rows(path, everything)
    [record] = records(written(tmp_path / "again", of_one_record(answer("one", 2))))
    log = prediction_log_pb2.PredictionLog.FromString(record)
    log.log_metadata.DiscardUnknownFields()
    with path.open("wb") as file:
        write_record(file, log.SerializeToString())
    assert without_rows(path, lambda rows: np.zeros(rows.count, np.bool_))[1:] == (2, 0)
    with pytest.raises(BadInput, match=r"record 0 of another server.*write it anew from the log"):
        without_rows(path, everything)
    path.write_bytes(b"no records at all")
    with pytest.raises(BadInput, match="not a TFRecord file"):
        without_rows(path, everything)
