"""Rows in memory as the monitor's job reads them: like a traffic log with the same rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.config import load_config
from monitoring.drills.replayed_traffic import ReplayedTraffic
from monitoring.drills.timeline import RETYPED
from monitoring.sources.log_source import LogSource
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.windows import Window
from tests.small_deployment import LIVE, SPEC, Days, table_of

DAY = timedelta(days=1)


def day(number: int) -> Window:
    return Window(start=LIVE + (number - 1) * DAY, end=LIVE + number * DAY)


def test_it_reads_like_a_log_of_the_same_rows(deployed: Path, send: Callable[..., None]) -> None:
    send(deployed, Days(days=3))
    log = LogSource(deployed / "traffic", load_config(deployed / "monitor.toml").model, SPEC, version=1)
    replayed = ReplayedTraffic(table_of(Days(days=3)), SPEC)
    mine, theirs = replayed.read(day(2))[0], log.read(day(2))[0]
    assert mine.ids.equals(theirs.ids)
    assert np.allclose(mine.probabilities, theirs.probabilities)
    assert replayed.spans(DAY) == log.spans(DAY)
    assert np.array_equal(replayed.event_times(), log.event_times())
    windows = [day(1), day(2), day(9)]
    assert np.array_equal(replayed.row_counts(windows), log.row_counts(windows))
    for one in ("prediction_id", "label"):
        assert sorted(replayed.labels()[one].to_pylist()) == sorted(log.labels()[one].to_pylist())
    ids = pa.array([mine.ids[0].as_py(), "nobody"])
    for before in (int(mine.event_times[0]), int(mine.event_times[0]) + 1):
        assert np.array_equal(replayed.was_answered(ids, before), log.was_answered(ids, before))
    assert not replayed.of_other_models(ids).any()
    assert (replayed.source_findings, replayed.excluded_rows, replayed.missing_rows(day(1))) == ((), 0, 0)
    assert len(replayed.waiting_ids) == 0


def test_labels_that_have_not_come_yet_are_not_there_and_the_others_keep_their_places() -> None:
    rows = table_of(Days(days=3))
    whole, part = ReplayedTraffic(rows, SPEC), ReplayedTraffic(rows, SPEC, known_until=LIVE + 2 * DAY)
    count = part.labels().num_rows
    assert 0 < count < whole.labels().num_rows
    assert part.labels().equals(whole.labels().slice(0, count))
    assert whole.latest_labels().equals(whole.labels())


def test_a_window_is_selected_whole_with_its_newest_row() -> None:
    replayed = ReplayedTraffic(table_of(Days(days=2)), SPEC)
    rows = replayed.rows(day(2))
    selected, newest = rows.select(IdSet(pa.array(["20130401-1-7:0"])))
    assert len(selected) == 60
    assert newest == int(selected.event_times.max())
    assert replayed.select(day(9), IdSet(pa.array(["x"])))[1] == 0
    assert rows.summary().findings == ()


def test_a_gap_ends_a_span_and_no_rows_have_none() -> None:
    rows = table_of(Days(days=3))
    gap = pa.concat_tables([rows.slice(0, 60), rows.slice(120)])
    assert len(ReplayedTraffic(gap, SPEC).spans(timedelta(hours=12))) == 2
    assert ReplayedTraffic(rows.slice(0, 0), SPEC).spans(DAY) == ()


def test_what_is_no_probability_is_no_answer() -> None:
    rows = table_of(Days(days=1))
    lists = pa.array([[50.0, 50.0]] * rows.num_rows, pa.list_(pa.float64()))
    rows = rows.set_column(rows.column_names.index("probabilities"), "probabilities", lists)
    assert np.isnan(ReplayedTraffic(rows, SPEC).read(day(1))[0].probabilities).all()


def test_rows_without_a_time_are_not_in_the_traffic_and_their_labels_are_of_no_prediction() -> None:
    rows = table_of(Days(days=2))
    lost = rows["event_time"].combine_chunks().take(pa.array([None, *range(1, rows.num_rows)], pa.int64()))
    replayed = ReplayedTraffic(rows.set_column(rows.column_names.index("event_time"), "event_time", lost), SPEC)
    assert replayed.event_times().size == rows.num_rows - 1
    gone = rows["prediction_id"].slice(0, 1).combine_chunks()
    assert not replayed.was_answered(gone, 2**62).any()
    assert replayed.labels().num_rows == rows["label"].drop_null().length()


def test_repeated_rows_are_counted_and_read_once() -> None:
    rows = table_of(Days(days=2))
    replayed, once = ReplayedTraffic(pa.concat_tables([rows] * 3), SPEC), ReplayedTraffic(rows, SPEC)
    assert replayed.read(day(2))[1] == 2 * len(once.read(day(2))[0])
    assert replayed.read(day(2))[0].ids.equals(once.read(day(2))[0].ids)
    assert replayed.labels().num_rows == once.labels().num_rows


def test_a_number_that_became_text_is_text_in_its_windows() -> None:
    rows = table_of(Days(days=2))
    first = rows.filter(pc.less(rows["event_time"], pa.scalar(LIVE + DAY, pa.timestamp("us", "UTC"))))
    rest = rows.slice(first.num_rows)
    texts = pa.array(["1,5"] * rest.num_rows)
    rest = rest.set_column(rest.column_names.index("temp"), f"temp{RETYPED}", texts)
    replayed = ReplayedTraffic(pa.concat_tables([first, rest], promote_options="permissive"), SPEC)
    assert replayed.read(day(1))[0].problems == ()
    [(name, problem)] = replayed.read(day(2))[0].problems
    assert (name, "string" in problem) == ("temp", True)
