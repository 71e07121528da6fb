from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import Predictions
from monitoring.config import load_config
from monitoring.inspection.status import status
from monitoring.judging.window.label_join import LabelJoin, RowLoader
from monitoring.records import MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.sentences.finding_text import finding_text
from monitoring.store.store import Store
from monitoring.tasks.classification import Classification
from monitoring.tasks.regression import Regression
from monitoring.tasks.several import SeveralTasks
from monitoring.tasks.task import NO_LABEL, UNKNOWN_CLASS, OutputTask
from monitoring.timestamps import as_microseconds
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.windows import Window
from tests.own_table import NOW, Watched, own_rows, watch
from tests.small_deployment import Days

DAY = 86_400_000_000
START = datetime(2013, 4, 1, tzinfo=UTC)
ZERO = as_microseconds(START)
WEEK = 7 * DAY


def day(number: int) -> Window:
    return Window(start=START + timedelta(days=number), end=START + timedelta(days=number + 1))


def predictions(number: int, count: int = 4) -> Predictions:
    return Predictions(
        ids=pa.array([f"{number}-{i}" for i in range(count)]),
        event_times=np.full(count, ZERO + number * DAY + 1, dtype=np.int64),
        features=pa.table({"x": pa.array([0.0] * count)}),
        probabilities=np.full((count, 2), 0.5),
        labels=np.full(count, -1, dtype=np.int64),
        label_times=np.zeros(count, dtype=np.int64),
    )


def loader(rows: Predictions) -> RowLoader:
    return lambda _: (rows, int(rows.event_times.max()))


def log(entries: list[tuple[str, str, int]]) -> list[pa.Table]:
    """Entries are (prediction id, label, microseconds after the first midnight), in order of arrival; three a part."""
    whole = pa.table(
        {
            "prediction_id": pa.array([e[0] for e in entries], pa.string()),
            "label": pa.array([e[1] for e in entries], pa.string()),
            "label_time": pa.array([ZERO + e[2] for e in entries], pa.int64()).cast(pa.timestamp("us", "UTC")),
            "sequence": pa.array(range(len(entries)), pa.int64()),
        }
    )
    return [whole.slice(first, 3) for first in range(0, len(entries), 3)]


def label_join(entries: list[tuple[str, str, int]], *, read: int = 0, horizon_us: int = WEEK) -> LabelJoin:
    return LabelJoin(log(entries), task=Classification(classes=("a", "b")), read=read, horizon_us=horizon_us)


arrivals = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 5), st.sampled_from(["a", "b", "zebra"]), st.integers(0, 6 * DAY - 1)),
    max_size=40,
)


@given(arrivals, st.integers(0, 40), st.integers(1, 5))
def test_each_prediction_gets_at_most_one_label_however_the_runs_are_cut(
    drawn: list[tuple[int, int, str, int]], known: int, stop: int
) -> None:
    entries = [(f"{d}-{i}", label, when) for d, i, label, when in drawn]
    seen: list[str] = []
    # The first run knows the labels that had arrived by then, and judges some windows; the second knows all of them.
    first = label_join(entries[:known])
    for number in range(stop):
        seen += first.join(day(number), loader(predictions(number)), first=number == 0).labelled.ids.to_pylist()
    second = label_join(entries, read=first.read)
    second.restore((day(number), loader(predictions(number))) for number in range(stop))
    for number in range(stop, 6):
        seen += second.join(day(number), loader(predictions(number)), first=number == stop).labelled.ids.to_pylist()
    assert len(seen) == len(set(seen))
    reachable = {
        id_
        for id_, label, when in entries
        if label != "zebra" and id_ in {f"{d}-{i}" for d in range(6) for i in range(4)} and when // DAY >= int(id_[0])
    }
    assert reachable <= set(seen) | {e[0] for e in entries if e[2] // DAY < int(e[0][0])}


class Answered:
    """Knows the rows that were answered, by their ids."""

    def __init__(self, event_times: list[int]) -> None:
        self._times = {str(number): time for number, time in enumerate(event_times)}

    def was_answered(self, ids: pa.Array, before: int) -> NDArray[np.bool_]:
        return np.array([self._times.get(id_, before) < before for id_ in ids.to_pylist()], dtype=np.bool_)

    def of_other_models(self, ids: pa.Array) -> NDArray[np.bool_]:
        return np.zeros(len(ids), dtype=np.bool_)

    def older(self, ids: pa.Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        return self.of_other_models(ids), self.of_other_models(ids)


@given(
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 30)), min_size=1, max_size=30),
    st.integers(1, 14),
    st.integers(1, 10),
    st.lists(st.integers(0, 80), max_size=3),
)
def test_a_label_counts_once_if_its_delay_is_at_most_the_horizon_whatever_the_windows_and_runs(
    drawn: list[tuple[int, int]], length: int, horizon: int, stops: list[int]
) -> None:
    """Rows of (hour, label delay in hours); windows of `length` hours; runs stop and go on at some of the hours."""
    hour = DAY // 24
    times = [ZERO + at * hour for at, _ in drawn]
    entries = [(str(number), "a", (at + delay) * hour) for number, (at, delay) in enumerate(drawn)]
    entries.sort(key=lambda entry: entry[2])

    def window(number: int) -> Window:
        first = START + timedelta(hours=number * length)
        return Window(start=first, end=first + timedelta(hours=length))

    def rows_of(number: int) -> tuple[Predictions, int]:
        inside = [n for n, (at, _) in enumerate(drawn) if at // length == number]
        rows = replace(
            predictions(0, len(inside)),
            ids=pa.array([str(n) for n in inside], pa.string()),
            event_times=np.array([times[n] for n in inside], dtype=np.int64),
        )
        return rows, max((times[n] for n in inside), default=0)

    def loader_of(number: int) -> RowLoader:
        return lambda _: rows_of(number)

    counted, overdue, read, done, last = list[str](), 0, 0, 0, 80 // length + 1
    for stop in (*sorted({one // length for one in stops}), last):
        known = sum(entry[2] < stop * length * hour for entry in entries) if stop < last else len(entries)
        join = LabelJoin(
            log(entries[:known]),
            task=Classification(classes=("a", "b")),
            read=read,
            horizon_us=horizon * hour,
            lookup=Answered(times),
        )
        join.restore((window(number), loader_of(number)) for number in range(done))
        for number in range(done, stop):
            arrivals = join.join(window(number), loader_of(number), first=number == done)
            counted += arrivals.labelled.ids.to_pylist()
            overdue += arrivals.overdue.labels
        read, done = (join.read, stop) if stop > done else (read, done)
    assert sorted(counted, key=int) == [str(n) for n, (_, delay) in enumerate(drawn) if delay <= horizon]
    assert overdue == sum(delay > horizon for _, delay in drawn)


def test_a_label_from_before_its_row_counts_with_the_row() -> None:
    entries = [("2-0", "a", DAY), ("1-1", "b", DAY + 5)]
    assert counted_in(label_join(entries), 3) == [[], ["1-1"], ["2-0"]]
    first = label_join(entries)
    assert counted_in(first, 2) == [[], ["1-1"]]
    second = label_join(entries, read=first.read)
    second.restore((day(number), loader(predictions(number))) for number in range(2))
    arrivals = second.join(day(2), loader(predictions(2)), first=True)
    assert arrivals.labelled.ids.to_pylist() == ["2-0"]


def counted_in(join: LabelJoin, windows: int) -> list[list[str]]:
    """The ids of the labelled rows of each window."""
    arrivals = [join.join(day(at), loader(predictions(at)), first=at == 0) for at in range(windows)]
    return [one.labelled.ids.to_pylist() for one in arrivals]


def test_labels_that_are_written_late_count_by_their_own_time_until_their_row_is_two_horizons_old() -> None:
    entries = [(f"{number}-0", "a", number * DAY + DAY) for number in range(14)]
    join = label_join(entries, read=0, horizon_us=2 * DAY)
    join.restore((day(number), loader(predictions(number))) for number in range(14))
    arrivals = join.join(day(14), loader(predictions(14)), first=True)
    assert arrivals.labelled.ids.to_pylist() == ["10-0", "11-0", "12-0", "13-0"]


def test_a_label_without_a_time_of_its_own_became_known_when_it_was_first_seen() -> None:
    entries = [(f"{number}-0", "a", number * DAY + 1) for number in range(14)]
    join = label_join(entries, read=0, horizon_us=2 * DAY)
    join.restore((day(number), loader(predictions(number))) for number in range(14))
    arrivals = join.join(day(14), loader(predictions(14)), first=True)
    assert arrivals.labelled.ids.to_pylist() == ["12-0", "13-0"]
    assert arrivals.overdue.labels == 2, "those of rows that are older still need a lookup"


def test_a_label_counts_in_the_window_of_its_time_and_the_last_of_a_window_counts() -> None:
    found = label_join([("0-0", "a", DAY + 5), ("0-0", "b", DAY + 9), ("0-1", "b", 5)])
    first = found.join(day(0), loader(predictions(0)), first=True)
    assert (first.labelled.ids.to_pylist(), first.labelled.labels.tolist()) == (["0-1"], [1])
    second = found.join(day(1), loader(predictions(1)), first=False)
    assert (second.labelled.ids.to_pylist(), second.labelled.labels.tolist()) == (["0-0"], [1])
    assert second.conflicts == 1


def test_a_different_label_in_a_later_window_is_a_conflict_and_is_ignored() -> None:
    found = label_join([("0-0", "a", 5), ("0-0", "b", DAY + 5), ("0-0", "a", DAY + 6)])
    assert found.join(day(0), loader(predictions(0)), first=True).labelled.labels.tolist() == [0]
    second = found.join(day(1), loader(predictions(1)), first=False)
    assert (len(second.labelled), second.conflicts) == (0, 1)


def test_labelled_rows_are_dropped_and_their_ids_are_still_known() -> None:
    entries = [("0-3", "b", 4), ("0-0", "a", 5), ("0-2", "a", 6)]
    late = [("0-1", "b", DAY + 1), ("0-0", "b", DAY + 2), ("0-2", "a", DAY + 3), ("1-0", "a", DAY + 4)]
    found = label_join(entries + late)
    rows = predictions(0)
    values = weakref.ref(rows.features)
    first = found.join(day(0), loader(rows), first=True)
    assert first.labelled.ids.to_pylist() == ["0-0", "0-2", "0-3"]
    del rows, first
    gc.collect()
    assert values() is None
    second = found.join(day(1), loader(predictions(1)), first=False)
    assert dict(zip(second.labelled.ids.to_pylist(), second.labelled.labels.tolist(), strict=True)) == {
        "0-1": 1,
        "1-0": 0,
    }
    assert (second.conflicts, second.unknown) == (1, 0)
    assert sorted(second.starts.tolist()) == [ZERO, ZERO + DAY]


def test_labels_of_no_prediction_are_unknown_and_those_of_no_class_are_labels() -> None:
    found = label_join([("9-9", "a", 5), ("0-0", "zebra", 6)])
    first = found.join(day(0), loader(predictions(0)), first=True)
    assert (len(first.labelled), first.unknown) == (1, 1)
    assert first.labelled.labels.tolist() == [UNKNOWN_CLASS]
    assert (first.unknown_class.labels, first.unknown_class.words) == (1, frozenset({"zebra"}))


def test_a_class_but_for_case_or_spaces_is_that_class() -> None:
    first = label_join([("0-0", " B", 6)]).join(day(0), loader(predictions(0)), first=True)
    assert first.labelled.labels.tolist() == [1]
    assert (first.unknown_class.labels, first.unknown_class.respelled) == (0, 1)


def test_a_prediction_is_dropped_after_the_label_horizon() -> None:
    found = label_join([("0-0", "a", 3 * DAY + 5)], horizon_us=2 * DAY)
    results = [found.join(day(n), loader(predictions(n)), first=n == 0) for n in range(4)]
    assert sum(len(r.labelled) for r in results) == 0
    assert results[3].unknown == 1


def selecting(rows: Predictions, asked: list[set[str]]) -> RowLoader:
    """Loads only rows with the ids that are asked for, and keeps which of its own those were."""

    def load(ids: IdSet) -> tuple[Predictions, int]:
        found = rows.take(ids.contains(rows.ids))
        asked.append(set(found.ids.to_pylist()))
        return found, int(rows.event_times.max())

    return load


@given(arrivals, st.integers(0, 40), st.integers(1, 5))
def test_rows_that_no_label_of_the_run_is_for_make_no_difference(
    drawn: list[tuple[int, int, str, int]], known: int, stop: int
) -> None:
    entries = [(f"{d}-{i}", label, when) for d, i, label, when in drawn]
    found = []
    for load in (loader, lambda rows: selecting(rows, [])):
        joined = label_join(entries, read=min(known, len(entries)))
        joined.restore((day(number), load(predictions(number))) for number in range(stop))
        arrived = [joined.join(day(n), load(predictions(n)), first=n == stop) for n in range(stop, 6)]
        found.append(
            [
                (a.labelled.ids.to_pylist(), a.labelled.labels.tolist(), a.starts.tolist(), a.conflicts, a.unmatched)
                for a in arrived
            ]
        )
    assert found[0] == found[1]


def test_of_restored_windows_only_rows_are_asked_for_that_a_label_of_the_run_may_be_for() -> None:
    entries = [
        ("0-0", "a", 5),
        ("0-1", "a", 6),
        ("1-0", "b", DAY + 5),
        ("0-1", "b", 2 * DAY + 1),
        ("1-3", "b", DAY + 9),
    ]
    joined, asked = label_join(entries, read=3), list[set[str]]()
    joined.restore((day(number), selecting(predictions(number), asked)) for number in range(2))
    arrived = joined.join(day(2), selecting(predictions(2), asked), first=True)
    assert asked == [set(), {"0-1"}, {"1-3"}]
    assert (arrived.labelled.ids.to_pylist(), arrived.conflicts) == (["1-3"], 1)


def test_earlier_windows_are_not_read_where_no_label_comes() -> None:
    joined, asked = label_join([("0-0", "a", 5)], read=1), list[set[str]]()
    joined.restore([(day(0), selecting(predictions(0), asked))])
    joined.join(day(1), selecting(predictions(1), asked), first=True)
    assert asked == [set()]


def test_labels_that_were_erased_are_nobodys_and_were_read() -> None:
    join = label_join([("", "", 0), ("0-1", "a", 5), ("", "", 0)], read=1)
    assert join.read == 3
    arrivals = join.join(day(0), loader(predictions(0)), first=True)
    assert arrivals.labelled.ids.to_pylist() == ["0-1"]
    assert arrivals.unknown == 0
    assert arrivals.unknown_class.labels == 0


def test_rows_of_any_window_get_the_labels_that_are_known_by_a_time_and_none_is_consumed() -> None:
    """Inline labels stay; of a row's labels the first counts; a label at the time itself is not known yet."""
    entries = [("0-0", "b", DAY + 1), ("0-0", "a", DAY + 2), ("0-1", "b", 2 * DAY), ("0-2", "b", DAY), ("9-9", "a", 1)]
    join = label_join(entries)
    rows = predictions(0)
    rows.labels[2] = 0
    found = join.labelled(Batch.of(rows), before=day(2).start)
    assert found.labels.tolist() == [1, -1, 0, -1]
    assert found.label_times[0] == ZERO + DAY + 1
    assert rows.labels.tolist() == [-1, -1, 0, -1]
    arrivals = join.join(day(0), loader(predictions(0)), first=True)
    arrivals = join.join(day(1), loader(predictions(1)), first=False)
    assert arrivals.labelled.labels.tolist() == [0, 1]


def test_without_labels_that_are_known_rows_stay_as_they_are() -> None:
    rows = Batch.of(predictions(0))
    assert label_join([("0-0", "a", DAY)]).labelled(rows, before=day(1).start) is rows


def test_parts_of_a_label_that_come_later_are_no_further_labels() -> None:
    kind = OutputTask(output="kind", task=Classification(classes=("a", "b")), numbers=2)
    price = OutputTask(output="price", task=Regression(), numbers=1)
    entries = [
        ("0-0", '{"kind": "a"}', 5),
        ("0-1", '{"kind": "a", "price": 2}', 6),
        ("0-0", '{"kind": "a", "price": 1}', DAY + 5),
        ("0-1", '{"kind": "b", "price": 2}', DAY + 6),
    ]
    task = SeveralTasks(outputs_judged=(kind, price))
    join = LabelJoin(log(entries), task=task, read=0, horizon_us=WEEK)
    first = join.join(day(0), loader(predictions(0)), first=True)
    second = join.join(day(1), loader(predictions(1)), first=False)
    assert (len(first.labelled), second.conflicts) == (2, 1)
    assert not first.further.any()
    assert [batch.labels.tolist() for _, batch in second.batches(first=True)] == []
    ((start, batch),) = second.batches(first=False)
    assert (start, batch.labels[0, 0]) == (ZERO, NO_LABEL)
    assert batch.labels[0, 1:].view(np.float64).tolist() == [1.0]


LIVE = Days(days=14)


def without_labels(rows: pa.Table, after: int) -> pa.Table:
    """The rows, of which those of later days have no label yet."""
    hidden = pc.if_else(pc.greater(pc.day(rows["ts"]), after), pa.scalar(None, pa.string()), rows["y"])
    return rows.set_column(rows.column_names.index("y"), "y", hidden)


def write(folder: Path, rows: pa.Table, kind: str) -> None:
    """A file a day."""
    folder.mkdir(exist_ok=True)
    for day in pc.unique(pc.day(rows["ts"])).to_pylist():
        some = rows.filter(pc.equal(pc.day(rows["ts"]), day))
        if kind == "parquet":
            pq.write_table(some, folder / f"{day:02}.parquet")
            continue
        floats = [some[name].cast(pa.float64()) if name in FLOATS else some[name] for name in some.column_names]
        pyarrow.csv.write_csv(pa.table(floats, names=some.column_names), folder / f"{day:02}.csv")


FLOATS = {"temp", "on_time", "late"}


def run(watched: Watched, rows: pa.Table, way: str, now: datetime) -> MonitorStatus:
    """Judge what is due of the rows before `now`."""
    live, truth = watched.folder / "live", watched.folder / "truth"
    rows = rows.filter(pc.less(rows["ts"], pa.scalar(now)))
    write(live, rows.drop_columns(["y"]) if way == "apart" else rows, "csv" if way == "csv" else "parquet")
    paths = {"path": live.absolute()}
    if way == "apart":
        write(truth, rows.select(["id", "ts", "y"]), "parquet")
        paths["labels"] = truth.absolute()
    config = load_config(watched.adopted.config)
    config = config.model_copy(update={"traffic": config.traffic.model_copy(update=paths)})
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: now)
        return status(store, config.model.name, done.deployment)


@pytest.mark.parametrize(
    ("way", "first"), [("named", 0), ("nameless", 2), pytest.param("csv", 0, marks=pytest.mark.slow), ("apart", 2)]
)
def test_overdue_labels_are_reported_once_and_none_is_unknown(tmp_path: Path, way: str, first: int) -> None:
    watched = watch(tmp_path, label_time=None, prediction_id=None if way == "nameless" else "id")
    rows = own_rows(LIVE).drop_columns(["known_at"])
    rows = rows.drop_columns(["id"]) if way == "nameless" else rows
    rows = rows.set_column(rows.column_names.index("y"), "y", pc.fill_null(rows["y"], "late"))
    early = run(watched, without_labels(rows, first), way, datetime(2013, 4, 11, 7, tzinfo=UTC))
    assert (len(early.windows), early.coverage.labels) == (10, 60 * first)
    run(watched, rows, way, datetime(2013, 4, 12, 7, tzinfo=UTC))
    found = run(watched, rows, way, NOW)
    late = 60 * (3 - first)
    assert [
        (at, finding_text(f)) for at, w in enumerate(found.windows) for f in w.findings if f.kind == "labels too late"
    ] == [(10, f"{late} labels arrived later than label_horizon (7 days) after their predictions, and are ignored.")]
    assert (found.coverage.labels, found.coverage.labels_unknown) == (14 * 60 - late, 0)
    assert not [f for w in found.windows for f in w.findings if f.kind == "unknown predictions"]
