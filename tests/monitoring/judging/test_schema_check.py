"""Comparators written into a table's schema: found window by window, the same after an interruption, and no alarm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.records import MonitorStatus
from tests.own_table import Watched, own_rows, watch
from tests.small_deployment import Days

QUIET, TURNED = (1, 2, 3), (4, 5)


def compare(watched: Watched, name: str, text: str) -> None:
    """Write a comparator into the schema as a person would."""
    path = next(watched.folder.rglob("schema.pbtxt"))
    before = f'name: "{name}"\n'
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, f"{before}  {text}\n", 1))


def turned(days: Days) -> pa.Table:
    """From the fourth day on every flight leaves from JFK."""
    rows = own_rows(days)
    day = np.asarray([when.day for when in rows["ts"].to_pylist()])
    origin = np.where(day >= TURNED[0], "JFK", np.asarray(rows["origin"].to_pylist()))
    return rows.set_column(rows.column_names.index("origin"), "origin", pa.array(origin))


def told(status: MonitorStatus) -> list[tuple[str, int]]:
    return [(f.kind, w.start.day) for w in status.windows for f in w.findings if f.kind in ("skew", "drift")]


def test_skew_is_found_as_long_as_it_lasts_and_drift_where_it_begins(tmp_path: Path) -> None:
    live = turned(Days(days=5))
    found = []
    for name in ("whole", "pieces"):
        watched = watch(tmp_path / name)
        compare(watched, "origin", "skew_comparator { infinity_norm { threshold: 0.3 } }")
        compare(watched, "origin", "drift_comparator { jensen_shannon_divergence { threshold: 0.1 } }")
        watched.live("all.parquet", live)
        if name == "pieces":
            for stops in range(1, 4):
                asked = iter([False] * stops + [True])
                watched.run(stop=lambda asked=asked: next(asked))  # type: ignore[misc]  # an iterator of its own
        found.append(watched.run()[1])
    assert found[0].windows == found[1].windows
    assert told(found[0]) == [("skew", 4), ("drift", 4), ("skew", 5)]
    assert not any(f.fact for w in found[0].windows for f in w.findings)
    assert not [i for i in found[0].incidents if i.watch == "schema"]


def test_a_blind_comparator_stops_the_run_before_anything_is_judged(tmp_path: Path) -> None:
    watched = watch(tmp_path)
    compare(watched, "temp", "skew_comparator { infinity_norm { threshold: 0.1 } }")
    watched.live("all.parquet", own_rows(Days(days=2)))
    with pytest.raises(BadInput, match="can never find anything"):
        watched.run()
