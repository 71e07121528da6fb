from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import no_predictions
from monitoring.judging.window.in_memory_rows import InMemoryRows
from monitoring.records import Finding
from monitoring.traffic.id_keys import IdSet
from tests.monitoring.judging.window.window_rows import rows_of, spec_of

NOBODY = IdSet(pa.array([], pa.string()))


def ids(batches: Iterator[Batch]) -> list[str]:
    return [id_ for batch in batches for id_ in batch.ids(pa.array(range(len(batch))).to_numpy()).to_pylist()]


def test_rows_are_read_again_and_again_and_all_of_them_are_selected() -> None:
    predictions = rows_of(100, 1)
    rows = InMemoryRows(predictions, 0, tuple)
    expected = predictions.ids.to_pylist()
    assert ids(rows.batches()) == ids(rows.consume()) == ids(rows.batches()) == expected
    selected, newest = rows.select(NOBODY)
    assert selected is predictions
    assert newest == int(predictions.event_times.max())


def test_their_labels_are_in_the_label_log() -> None:
    assert not InMemoryRows(rows_of(3, 1), 0, tuple).inline_labels


def test_no_rows_have_no_batches_and_no_newest() -> None:
    rows = InMemoryRows(no_predictions(spec_of(2)), 0, tuple)
    assert list(rows.batches()) == []
    assert rows.select(NOBODY)[1] == 0


def test_findings_are_looked_up_when_the_summary_is_read() -> None:
    found: list[Finding] = []
    rows = InMemoryRows(rows_of(3, 1), 2, lambda: tuple(found))
    assert (rows.summary().repeats, rows.summary().findings) == (2, ())
    found.append(Finding(kind="capture gap", feature="", message=""))
    assert rows.summary().findings == tuple(found)
