"""Comparators written into a table's schema: found window by window, the same after an interruption, and no alarm."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.profile_builder import profile
from monitoring.baseline.schema import infer_schema, load_schema
from monitoring.errors import BadInput, CannotRun
from monitoring.judging.input_check import CheckResult, SchemaCheck
from monitoring.records import MonitorStatus
from tests.monitoring.judging.small_judge import rows_of_days, small_judge, with_feature
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


def reported(status: MonitorStatus) -> list[tuple[str, int]]:
    return [(f.kind, w.start.day) for w in status.windows for f in w.findings if f.kind in ("skew", "drift")]


def test_skew_is_found_while_it_lasts_and_drift_where_it_begins(tmp_path: Path) -> None:
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
    assert reported(found[0]) == [("skew", 4), ("drift", 4), ("skew", 5)]
    assert {f.kind for w in found[0].windows for f in w.findings if f.fact} == {"input constant"}
    assert [i.fact for i in found[0].incidents] == ["input constant"]  # which no comparator opened


def test_a_comparator_that_can_find_nothing_stops_the_run_before_any_window(tmp_path: Path) -> None:
    watched = watch(tmp_path)
    compare(watched, "temp", "skew_comparator { infinity_norm { threshold: 0.1 } }")
    watched.live("all.parquet", own_rows(Days(days=2)))
    with pytest.raises(BadInput, match="can never find anything"):
        watched.run()


def never() -> object:
    pytest.fail("a window without rows needs no schema")


def test_a_window_without_rows_is_not_checked_and_leaves_the_statistics_before_it() -> None:
    baseline = small_judge().baseline
    check = SchemaCheck(never, baseline.bins, baseline.profile)
    empty = profile(rows_of_days(0, 0), baseline.bins)
    assert check(empty, (), "before") == CheckResult(statistics="before")


def test_a_schema_that_is_missing_is_an_error_at_the_first_window_with_rows(tmp_path: Path) -> None:
    baseline = small_judge().baseline
    check = SchemaCheck(partial(load_schema, tmp_path / "schema.pbtxt"), baseline.bins, baseline.profile)
    with pytest.raises(CannotRun, match="no schema"):
        check(profile(rows_of_days(60, 1), baseline.bins), (), "")


def test_the_schema_is_loaded_once_and_inputs_that_are_absent_are_gone() -> None:
    baseline, loads = small_judge().baseline, []
    schema = infer_schema(baseline.reference.features)

    def load() -> object:
        loads.append(1)
        return schema

    check = SchemaCheck(load, baseline.bins, baseline.profile)
    words = pa.array(["new"] * 60, pa.string())
    strange = profile(with_feature(rows_of_days(60, 1, seed=2), "origin", words), baseline.bins)
    assert [one.feature for one in check(strange, (), "").findings] == ["origin"]
    assert [one.kind for one in check(strange, ("origin",), "").findings] == ["column gone"]
    assert len(loads) == 1


def test_an_input_of_whole_numbers_is_of_its_own_type() -> None:
    baseline = small_judge().baseline
    features = baseline.reference.features
    whole = features.set_column(0, features.column_names[0], pa.array(np.arange(features.num_rows)))
    assert features.column_names[0] == "temp"
    schema = infer_schema(whole)
    assert {each.name: each.type for each in schema.feature}["temp"] == 2  # INT
    check = SchemaCheck(lambda: schema, baseline.bins, baseline.profile)
    assert check(profile(rows_of_days(60, 1), baseline.bins), (), "").findings == ()
