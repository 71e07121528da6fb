"""Losses class by class: a class that is missed more often is named, though the whole hardly moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.config import load_config
from monitoring.deployment.deployment import deploy
from monitoring.errors import BadInput
from monitoring.onboarding.table_description import described
from monitoring.watches.classes import ClassSlices
from tests.own_table import OWN, own_rows, watch
from tests.small_deployment import Days

BOTH = ("label", "predicted")


def missed(rows: pa.Table, *, share: float, first: int, seed: int = 3) -> pa.Table:
    """From day `first` on, that share of the late rows is answered as on time; the others as they were."""
    rng = np.random.default_rng(seed)
    day = np.asarray([when.day for when in rows["ts"].to_pylist()])
    late = np.asarray(rows["y"].to_pylist(), dtype=object) == "late"
    turned = (day >= first) & late & (rng.random(len(day)) < share)
    scores = {name: np.asarray(rows[name]) for name in ("on_time", "late")}
    low, high = np.minimum(*scores.values()), np.maximum(*scores.values())
    for name, values in (("on_time", high), ("late", low)):
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(np.where(turned, values, scores[name])))
    return rows


def test_a_class_that_is_missed_more_often_is_watched_and_its_part_in_the_change_is_told(tmp_path: Path) -> None:
    watched = watch(tmp_path, class_slices=BOTH, slices=())
    watched.live("all.parquet", missed(own_rows(Days(days=24)), share=0.9, first=9))
    found = watched.run()[1]
    slices = {one.slice for one in found.windows[-1].scores if one.slice}
    assert slices == {f"{column}={name}" for column in BOTH for name in ("on_time", "late")}
    page = next(incident for incident in found.incidents if incident.level == "page")
    assert page.window_start.day >= 9
    parts = {(part.column, part.slice): part.loss for part in page.detail.parts}
    assert parts["label", "label=late"] > parts["label", "label=on_time"]
    last = {one.slice: one.value for w in found.windows for one in w.scores if one.watch == "error" and one.value}
    assert last["label=late"] > 0.8
    assert last["label=on_time"] < 0.5


def test_the_baseline_and_the_windows_count_classes_alike(tmp_path: Path) -> None:
    watched = watch(tmp_path, class_slices=BOTH)
    deployment = deploy(load_config(watched.adopted.config))
    losses = deployment.reference_fit.losses
    for column in BOTH:
        parts = [total for key, total in losses.items() if key.watch == "error" and key.slice.startswith(f"{column}=")]
        whole = next(total for key, total in losses.items() if key.watch == "error" and not key.slice)
        assert sum(part.rows for part in parts) == whole.rows
        assert sum(part.total for part in parts) == whole.total


def test_without_them_nothing_is_watched_by_class(tmp_path: Path) -> None:
    watched = watch(tmp_path)
    keys = deploy(load_config(watched.adopted.config)).reference_fit.means
    assert {key.slice for key in keys} == {"", "origin=EWR", "origin=JFK"}


def test_an_unknown_division_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="class_slices"):
        watch(tmp_path, class_slices=("truth",))


def test_of_many_classes_the_commonest_are_watched_and_a_name_twice_is_refused() -> None:
    classes = tuple(f"c{place}" for place in range(20))
    labels = np.repeat(np.arange(20), np.arange(20) + 1)
    slices = ClassSlices.fit(("label",), classes, labels, ())
    assert slices.names == tuple(f"label=c{place}" for place in range(8, 20))
    with pytest.raises(BadInput, match="A slice by class and an input to slice by have the same name"):
        ClassSlices.fit(("label",), classes, labels, ("label",))
    assert described(event_time=OWN["event_time"]).traffic.class_slices == ()
