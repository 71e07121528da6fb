"""Rows of a reference without a time or an answer are left out and counted; most of them are no reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import load_baseline
from monitoring.baseline.spec import BaselineSpec
from monitoring.errors import BadInput
from serving.export.export import Bundle, Reference, export_bundle
from serving.export.inputs.input_roles import input_roles
from serving.export.keras_model import KerasModel
from serving.export.manifest import Provenance
from serving.export.reference_table import baseline_spec, complete
from serving.export.usable_rows import UsableRows, usable_rows
from tests.serving.export_model import CLASSES, NOW, now

ROWS = 40
TIMES_US = 1_356_998_400_000_000 + np.arange(ROWS) * 3_600_000_000


def spec_of(opened: KerasModel) -> BaselineSpec:
    """The baseline's specification of a model all of whose scalars are watched."""
    return baseline_spec(input_roles(None, opened.inputs).features, CLASSES)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Of an input x of two numbers; it says nothing against those that are not finite."""
    x = keras.Input((2,), name="x")
    return keras.Model(x, {"probabilities": keras.layers.Dense(2, activation="softmax")(x)})


@pytest.fixture(scope="module")
def opened(model: keras.Model) -> KerasModel:
    return KerasModel(model, ("a", "b"))


def reference(**columns: Any) -> pa.Table:
    numbers = np.linspace(-1.0, 1.0, ROWS)
    moments = pa.array(TIMES_US, pa.timestamp("us", tz="UTC"))
    label = np.where(np.arange(ROWS) % 3 == 0, "late", "on_time").tolist()
    return pa.table({"a": numbers, "b": numbers, "event_time": moments, "label": label} | columns)


def numbers(*first: float) -> list[float]:
    return [*first, *[0.5] * (ROWS - len(first))]


def answers(*first: list[float | None]) -> pa.Array:
    return pa.array([*first, *[[0.25, 0.75]] * (ROWS - len(first))], pa.list_(pa.float64()))


def looked_through(table: pa.Table, opened: KerasModel) -> UsableRows:
    spec = spec_of(opened)
    return usable_rows(complete(table, opened, spec, NOW), table, opened, spec)


def test_a_whole_reference_is_left_whole(opened: KerasModel) -> None:
    for table in (reference(), reference(probabilities=answers([0.3, 0.69])), reference().drop_columns("event_time")):
        found = looked_through(table, opened)
        assert found.rows.all()
        assert not found.remarks


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_rows_that_the_model_gives_no_number_for_are_left_out(value: float, opened: KerasModel) -> None:
    found = looked_through(reference(a=numbers(value, 0.0, value), b=numbers(value)), opened)
    assert np.flatnonzero(~found.rows).tolist() == [0, 2]
    assert found.remarks == (
        (
            "Rows with invalid probabilities were left out: 2 of 40 (missing or infinite: a in 2, b in 1). "
            "Live rows like them will be told as new."
        ),
    )


def test_given_probabilities_that_are_none_are_left_out(opened: KerasModel) -> None:
    wrong: list[list[float | None]] = [[np.nan, 0.5], [0.5, 0.7], [-1.0, 2.0], [None, 1.0]]
    found = looked_through(reference(a=numbers(np.nan), probabilities=answers(*wrong)), opened)
    assert np.flatnonzero(~found.rows).tolist() == [0, 1, 2, 3]
    assert found.remarks == ("Rows with invalid probabilities were left out: 4 of 40.",)


def test_most_rows_without_an_answer_are_no_reference(opened: KerasModel) -> None:
    half = reference(a=numbers(*[np.nan] * 20))
    assert looked_through(half, opened).rows.sum() == 20
    with pytest.raises(BadInput, match=r"Got 21 of 40 rows; missing or infinite: a in 21;"):
        looked_through(reference(a=numbers(*[np.nan] * 21)), opened)
    per_cent = pa.array([[20.0, 80.0]] * ROWS)
    with pytest.raises(BadInput, match=r"column probabilities from 20 to 80; 40 of 40 rows are invalid"):
        looked_through(reference(probabilities=per_cent), opened)


def test_of_rows_that_share_an_id_the_earliest_counts_and_rows_without_one_are_their_own(opened: KerasModel) -> None:
    ids = [f"flight-{place}" for place in range(ROWS)]
    ids[7] = ids[9] = ids[30]
    times = TIMES_US.copy()
    times[30] = TIMES_US[8]
    given: list[str | None] = [None, None, *ids[2:]]
    moments = pa.array(times, pa.timestamp("us", tz="UTC"))
    found = looked_through(reference(prediction_id=given, event_time=moments), opened)
    assert np.flatnonzero(~found.rows).tolist() == [9, 30]
    assert found.remarks == ("Rows with the prediction_id of another row were left out: 2 of 40.",)
    twice = [f"flight-{place // 2}" for place in range(ROWS)]
    assert looked_through(reference(prediction_id=twice), opened).rows.sum() == 20
    with pytest.raises(BadInput, match=r"More than half .* Got 30 of 40 rows"):
        looked_through(reference(prediction_id=[f"flight-{place // 4}" for place in range(ROWS)]), opened)


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        (pa.timestamp("us", tz="UTC"), None),
        (pa.timestamp("us"), 9 * 10**18),
        (pa.timestamp("ms"), 9 * 10**18),
        (pa.timestamp("s"), -(10**17)),
        (pa.date64(), 9 * 10**18),
        (pa.date32(), 2**31 - 1),
    ],
    ids=str,
)
def test_rows_without_a_time_are_left_out(kind: pa.DataType, first: int | None, opened: KerasModel) -> None:
    long = {"timestamp[ms]": 1_000, "timestamp[s]": 10**6, "date64[ms]": 1_000, "date32[day]": 86_400 * 10**6}
    known = (TIMES_US // long.get(str(kind), 1)).tolist()[1:]
    times = pa.array([first, *known], pa.int32() if pa.types.is_date32(kind) else pa.int64()).cast(kind)
    found = looked_through(reference(event_time=times), opened)
    assert np.flatnonzero(~found.rows).tolist() == [0]
    assert found.remarks == ("Rows without a valid event_time were left out: 1 of 40.",)


def test_no_row_with_a_time_is_no_reference(opened: KerasModel) -> None:
    table = reference(event_time=pa.nulls(ROWS, pa.timestamp("us")))
    with pytest.raises(BadInput, match="40 rows whose event_time is missing"):
        looked_through(table, opened)


def test_a_time_finer_than_microseconds_is_cut_off(opened: KerasModel) -> None:
    fine = pa.array(TIMES_US * 1_000 + 7, pa.timestamp("ns"))
    table = reference(event_time=fine, label_time=fine)
    assert looked_through(table, opened).rows.all()
    made = complete(table, opened, spec_of(opened), NOW)
    for name in ("event_time", "label_time"):
        assert made[name].cast(pa.int64()).to_pylist() == TIMES_US.tolist()


def test_what_is_left_out_is_not_in_the_bundle(model: keras.Model, tmp_path: Path) -> None:
    missing = pa.array(TIMES_US, pa.timestamp("us", tz="UTC"), mask=np.arange(ROWS) == 1)
    bundle: Bundle = export_bundle(
        model,
        folder=tmp_path / "own",
        reference=Reference(table=reference(a=numbers(np.nan), event_time=missing), features=("a", "b")),
        provenance=Provenance(classes=CLASSES),
        clock=now,
    )
    manifest = json.loads((bundle.path / "assets.extra/manifest.json").read_text())
    assert manifest["reference"]["rows"] == 38
    assert all(np.isfinite(one["mean"]) for one in manifest["metrics"])
    assert len(load_baseline(bundle.path / "assets.extra/baseline").reference) == 38
    assert bundle.remarks[0] == "Rows without a valid event_time were left out: 1 of 40."
    assert bundle.remarks[1] == (
        "Rows with invalid probabilities were left out: 1 of 39 (missing or infinite: a in 1). "
        "Live rows like them will be told as new."
    )
