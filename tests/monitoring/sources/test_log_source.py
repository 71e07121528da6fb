"""A traffic log as runs read it: of windows judged before, only what a label may be for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.predictions import microseconds
from monitoring.baseline.spec import FeatureSpec
from monitoring.config import load_config
from monitoring.runs.run import run_due_windows
from monitoring.sentences.finding_text import finding_text
from monitoring.sources import log_source
from monitoring.sources.log_source import LogSource
from monitoring.sources.read_scope import ReadScope
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds
from monitoring.traffic.descriptors.text import TextDescriptors
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.format.tensors import flatten_scalars
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.windows import Window
from tests.small_deployment import LATER, LIVE, SPEC, Days, table_of

Send = Callable[..., None]
DAY = timedelta(days=1)


def day(number: int) -> Window:
    return Window(start=LIVE + (number - 1) * DAY, end=LIVE + number * DAY)


@pytest.fixture
def source(deployed: Path, send: Send) -> LogSource:
    """A log of three days, with the labels of all rows."""
    send(deployed, Days(days=3))
    return LogSource(deployed / "traffic", load_config(deployed / "monitor.toml").model, SPEC, version=1)


def test_rows_with_some_ids_are_as_in_their_window_however_they_are_read(source: LogSource) -> None:
    rows, _ = source.read(day(2))
    wanted = IdSet(rows.ids.take(pa.array([3, 17, 40])))
    kept, newest = source.select(day(2), wanted)
    source.read(day(1))
    read, again = source.select(day(2), wanted)
    assert newest == again == int(rows.event_times.max())
    for found in (kept, read):
        assert found.ids.to_pylist() == rows.ids.take(pa.array([3, 17, 40])).to_pylist()
        assert found.features.equals(rows.features.take(pa.array([3, 17, 40])))
        assert np.array_equal(found.probabilities, rows.probabilities[[3, 17, 40]])


def test_of_a_window_without_such_rows_only_ids_and_times_are_read(
    source: LogSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = recorded(monkeypatch)
    rows, newest = source.select(day(2), IdSet(pa.array(["elsewhere:0"])))
    assert (len(rows), newest) == (0, int(microseconds(table_of(Days(days=2))["event_time"]).max()))
    assert source.select(day(9), IdSet(pa.array(["elsewhere:0"])))[1] == 0
    assert [columns for _, _, columns in reads] == [2, 2]


@pytest.mark.parametrize("held_bytes", [log_source.STREAM_BYTES, 0], ids=["held", "streamed"])
def test_a_window_that_lacks_a_column_changes_nothing_of_how_others_are_read(
    deployed: Path, send: Send, monkeypatch: pytest.MonkeyPatch, held_bytes: int
) -> None:
    monkeypatch.setattr(log_source, "STREAM_BYTES", held_bytes)
    send(deployed, Days(days=1))
    send(deployed, Days(days=1, start=LIVE + DAY, without="temp"))
    model = load_config(deployed / "monitor.toml").model
    read: list[list[str]] = []

    def noted(table: pa.Table) -> pa.Table:
        read.append(table.column_names)
        return flatten_scalars(table)

    monkeypatch.setattr(log_source, "flatten_scalars", noted)
    fresh, after = (LogSource(deployed / "traffic", model, SPEC, version=1, scope=ReadScope(lean=True)) for _ in "12")
    first = rows_of(fresh, day(1))
    assert rows_of(after, day(2)).num_rows == 60
    assert rows_of(after, day(1)).equals(first)
    assert read[0] == read[2] != read[1]


def rows_of(source: LogSource, window: Window) -> pa.Table:
    return pa.concat_tables([batch.take(np.arange(len(batch))).features for batch in source.batches(window)])


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[datetime | None, int, int]]:
    """Each read of a log from now on: its beginning, and how many rows and columns it gave."""
    reads: list[tuple[datetime | None, int, int]] = []
    read = TrafficLog.read

    def noted(self: TrafficLog, **query: Any) -> pa.Table:
        table = read(self, **query)
        reads.append((query.get("start"), table.num_rows, table.num_columns))
        return table

    monkeypatch.setattr(TrafficLog, "read", noted)
    return reads


def test_a_run_reads_of_earlier_windows_only_what_a_label_may_be_for(
    deployed: Path, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = Days(days=5)
    send(deployed, days)
    config = load_config(deployed / "monitor.toml")
    table = table_of(days)
    some = table.filter(table["label"].is_valid()).take(pa.array([5, 6, 70]))  # two of the first day, one of the second
    with Store.open(config.store.url) as store:
        assert run_due_windows(config, store, clock=lambda: datetime(2013, 4, 5, 7, tzinfo=UTC)).judged == 4
        writer = LabelWriter(deployed / "traffic", clock=lambda: LATER)
        now = np.full(3, int(datetime(2013, 4, 5, 12, tzinfo=UTC).timestamp()) * 1_000_000)
        writer.append(some["prediction_id"].to_pylist(), ["late"] * 3, now)
        writer.close()
        reads = recorded(monkeypatch)
        assert run_due_windows(config, store, clock=lambda: datetime(2013, 4, 6, 7, tzinfo=UTC)).judged == 1
    whole = [(start, rows) for start, rows, columns in reads if columns > 2]
    assert whole == [(day(5).start, 60), (day(1).start, 2), (day(2).start, 1)]


def test_ids_that_are_sent_again_with_other_inputs_are_a_finding_and_do_not_count(
    deployed: Path, send: Send, source: LogSource
) -> None:
    before, _ = source.read(day(2))
    send(deployed, Days(days=3, seed=8), labels=False)
    again = LogSource(deployed / "traffic", load_config(deployed / "monitor.toml").model, SPEC, version=1)
    rows, repeats = again.read(day(2))
    assert rows.features.equals(before.features)
    assert repeats == len(rows)
    (found,) = again.findings(day(2))
    assert (found.kind, found.fact, finding_text(found).startswith(f"{len(rows)} rows repeat the id of another")) == (
        "ids repeated",
        True,
        True,
    )


def test_rows_of_excluded_callers_count_nowhere(deployed: Path, send: Send, source: LogSource) -> None:
    before, _ = source.read(day(2))
    send(deployed, Days(days=9, start=LIVE - 3 * DAY, principal="load-test"))
    model = load_config(deployed / "monitor.toml").model
    rest = LogSource(deployed / "traffic", model, SPEC, version=1, excluded=frozenset({"load-test", "nobody"}))
    rows, repeats = rest.read(day(2))
    assert (rows.ids.equals(before.ids), repeats, rest.findings(day(2))) == (True, 0, ())
    assert rest.excluded_rows == len(rows) == 60
    assert [(first.date(), last.date()) for first, last in rest.spans(DAY)] == [(LIVE.date(), (LIVE + 2 * DAY).date())]
    assert rest.row_counts([day(1), day(9)]).tolist() == [[60, 60], [0, 0]]
    ids = pa.array(["load-test20130329-0-0:0"])
    assert (rest.was_answered(ids, 2**62).tolist(), rest.of_other_models(ids).tolist()) == ([False], [True])
    everything = LogSource(deployed / "traffic", model, SPEC, version=1)
    assert len(everything.read(day(2))[0]) == 120
    assert everything.excluded_rows == 0


def test_rows_in_quarantine_are_a_finding_of_the_window_in_which_they_were_answered(deployed: Path, send: Send) -> None:
    send(deployed, Days(days=3))
    writer = TrafficWriter(deployed / "traffic", clock=lambda: LATER)
    for name in "ab":
        writer.append(
            AnsweredRows(
                model="flights",
                version=1,
                signature="serving_default",
                request_ids=[name],
                rows=[0],
                event_times_us=[0],
                answered_at_us=as_microseconds(day(2).start),
                latencies_us=[1],
                inputs={"temp": np.ones(1, np.float32)},
                outputs={"probabilities": np.ones((1, 2), np.float32)},
                quarantined=True,
            )
        )
    writer.close()
    source = LogSource(deployed / "traffic", load_config(deployed / "monitor.toml").model, SPEC, version=1)
    assert [len(source.findings(day(number))) for number in (1, 2, 3)] == [0, 1, 0]
    (found,) = source.findings(day(2))
    assert found.kind == "event times out of range"
    assert finding_text(found).startswith("2 rows answered in this window claim event times out of the server's range")
    assert len(source.spans(DAY)) == 1
    coming = [source.findings_after(moment) for moment in (None, day(2).start, day(3).start)]
    assert [len(findings) for findings in coming] == [1, 1, 0]
    assert "pitfalls serve --any-event-time" in finding_text(coming[0][0])


@pytest.mark.parametrize(("blanks", "missing"), [(frozenset(), 1), (frozenset({"origin"}), 0)])
def test_an_empty_text_of_a_request_is_missing_unless_the_baseline_has_it(
    deployed: Path, blanks: frozenset[str], missing: int
) -> None:
    writer = TrafficWriter(deployed / "traffic", clock=lambda: LATER)
    writer.append(
        AnsweredRows(
            model="flights",
            version=1,
            signature="serving_default",
            request_ids=["a", "b"],
            rows=[0, 0],
            event_times_us=[as_microseconds(day(1).start)] * 2,
            answered_at_us=as_microseconds(day(1).start),
            latencies_us=[1, 1],
            inputs={"temp": np.ones(2, np.float32), "origin": np.array([b"", b"JFK"], object)},
            outputs={"probabilities": np.full((2, 2), 0.5, np.float32)},
        )
    )
    writer.close()
    model = load_config(deployed / "monitor.toml").model
    rows, _ = LogSource(deployed / "traffic", model, SPEC, version=1, scope=ReadScope(blanks=blanks)).read(day(1))
    assert rows.features["origin"].null_count == missing


def test_a_label_by_the_servers_own_id_is_one_of_its_prediction(deployed: Path, send: Send) -> None:
    send(deployed, Days(days=1), labels=False)
    writer = TrafficWriter(deployed / "traffic", clock=lambda: LATER)
    at = as_microseconds(day(1).start)
    writer.append(
        AnsweredRows(
            model="flights",
            version=1,
            signature="serving_default",
            request_ids=["order"],
            rows=[0],
            event_times_us=[at],
            answered_at_us=at,
            latencies_us=[1],
            inputs={"temp": np.ones(1, np.float32), "origin": np.array([b"EWR"], object)},
            outputs={"probabilities": np.ones((1, 2), np.float32)},
            answer_ids=["pitfalls-1"],
        )
    )
    writer.close()
    labels = LabelWriter(deployed / "traffic", clock=lambda: LATER)
    labels.append(["pitfalls-1:0", "pitfalls-2:0"], ["late", "late"], [at, at])
    labels.close()
    source = LogSource(deployed / "traffic", load_config(deployed / "monitor.toml").model, SPEC, version=1)
    assert source.labels()["prediction_id"].to_pylist() == ["order:0", "pitfalls-2:0"]
    assert source.latest_labels()["prediction_id"].to_pylist() == ["order:0", "pitfalls-2:0"]


def test_a_column_of_the_log_is_described_as_the_baseline_says(source: LogSource, deployed: Path) -> None:
    """Scalars and texts alike: the log has the column, and rows get the inputs that describe it."""
    plain, _ = source.read(day(1))
    name = next(feature.name for feature in SPEC.features if feature.kind == "category")
    texts = plain.features[name].combine_chunks()
    described = TextDescriptors.of(TextDescriptors.fit(name, [(texts, plain.event_times)]).document())
    gone = TextDescriptors.of({**described.document(), "source": "gone"})
    made = [FeatureSpec(name=one, kind=kind, source=name) for one, kind in {**described.kinds, **gone.kinds}.items()]
    spec = replace(SPEC, features=(*SPEC.features, *made), described=(described, gone))
    model = load_config(deployed / "monitor.toml").model
    rows, _ = LogSource(deployed / "traffic", model, spec, version=1).read(day(1))
    assert dict(rows.problems) == dict.fromkeys(gone.kinds, "absent")
    assert rows.features[f"{name}.characters"].to_pylist() == [len(text) for text in texts.to_pylist()]


def test_what_is_no_probability_is_no_answer(source: LogSource, deployed: Path) -> None:
    writer = TrafficWriter(deployed / "traffic", clock=lambda: LATER)
    writer.append(
        AnsweredRows(
            model="flights",
            version=1,
            signature="serving_default",
            request_ids=["scaled", "sound"],
            rows=[0, 0],
            event_times_us=np.array([as_microseconds(day(9).start)] * 2),
            answered_at_us=0,
            latencies_us=np.zeros(2, dtype=np.int64),
            inputs={"temp": np.ones(2, np.float32), "origin": np.array([b"EWR", b"EWR"], dtype=object)},
            outputs={"probabilities": np.array([[25.0, 75.0], [0.25, 0.75]], np.float32)},
        )
    )
    writer.close()
    rows, _ = LogSource(deployed / "traffic", load_config(deployed / "monitor.toml").model, SPEC, version=1).read(
        day(9)
    )
    assert np.isnan(rows.probabilities).all(axis=1).tolist() == [True, False]
