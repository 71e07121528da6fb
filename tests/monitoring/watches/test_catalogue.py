"""The catalogue: every watch of a baseline, each with its sums, whatever the baseline can support."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import Baseline, load_baseline, write_baseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import MAX_SLICE_VALUES
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.errors import BadInput
from monitoring.judging.fit.baseline_sums import answer_sums, baseline_scorer, label_sums
from monitoring.records import ScoreSum, WatchKey
from monitoring.tasks.task import NO_LABEL, loss_of
from monitoring.watches.answer_watches import EstimateWatches
from monitoring.watches.catalogue import Catalogue, catalogue, labelled_rows
from monitoring.watches.label_shares import ANSWERED
from tests.monitoring.watches.family_sums import merged

CLASSES = ("on_time", "late")
SPEC = BaselineSpec(
    classes=CLASSES, features=(FeatureSpec(name="temp", kind="number"), FeatureSpec(name="origin", kind="category"))
)


def reference(rows: int = 600, *, origins: int = 3, labels: int | None = None) -> pa.Table:
    rng = np.random.default_rng(1)
    late = rng.uniform(0.05, 0.95, rows)
    known = np.arange(rows) < (rows if labels is None else labels)
    times = pa.array(np.arange(rows) * 1_000_000, pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    return pa.table(
        {
            "prediction_id": [f"r{row}" for row in range(rows)],
            "event_time": times,
            "temp": rng.normal(50.0, 10.0, rows),
            "origin": [f"O{place}" for place in rng.integers(0, origins, rows)],
            "probabilities": pa.array(np.stack([1 - late, late], axis=1).tolist(), pa.list_(pa.float64())),
            "label": pa.array(np.where(rng.random(rows) < late, "late", "on_time").tolist(), mask=~known),
            "label_time": pa.array(np.arange(rows), pa.int64(), mask=~known).cast(pa.timestamp("us", tz="UTC")),
        }
    )


def baseline_of(folder: Path, table: pa.Table, spec: BaselineSpec = SPEC) -> Baseline:
    write_baseline(table, folder=folder, spec=spec)
    return load_baseline(folder)


def sums_of(rows: Predictions, watched: Catalogue) -> dict[WatchKey, ScoreSum]:
    """The sums of all watches over rows."""
    scorer = baseline_scorer(watched)
    (answers,) = answer_sums(scorer, rows, profile(rows, watched.bins), powers=(1,))
    (labels,) = label_sums(scorer, rows, powers=(1,))
    return answers | labels


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    return baseline_of(tmp_path_factory.mktemp("baseline"), reference())


@pytest.fixture(scope="module")
def watched(baseline: Baseline) -> Catalogue:
    return catalogue(baseline, ("origin",), ("label", "predicted"))


def test_every_family_has_its_watches(watched: Catalogue) -> None:
    families = {watch.family for watch in watched.watches.values()}
    assert families == {
        "performance",
        "material",
        "surprise",
        "calibration",
        "estimates",
        "integrity",
        "outputs",
        "inputs",
        "joint",
        "labelled",
        "labels",
    }
    assert all(name == watch.name for name, watch in watched.watches.items())


def test_losses_are_watched_on_the_whole_on_each_slice_and_on_each_class(watched: Catalogue) -> None:
    ranks = {watch.name for watch in watched.ranks.watches}
    material = {name for name, watch in watched.watches.items() if watch.family == "material"}
    losses = {*watched.losses.names, *(name for name in material if loss_of(name) not in ranks)}
    slices = {key.slice for key in watched.keys if key.slice}
    assert slices == {
        *(f"origin=O{place}" for place in range(3)),
        *(f"{column}={name}" for column in ("label", "predicted") for name in CLASSES),
    }
    assert all(key.watch in losses for key in watched.keys if key.slice)
    assert len(watched.keys) == len(set(watched.keys)) == len(watched.watches) + len(losses) * len(slices)


def test_the_sums_of_a_window_are_those_of_the_watches_that_need_no_earlier_window(
    baseline: Baseline, watched: Catalogue
) -> None:
    rows = baseline.reference
    found = sums_of(rows, watched)
    without = {key.watch for key in watched.keys} - {key.watch for key in found}
    assert without == {"joint", *(name for name, watch in watched.watches.items() if watch.family == "labelled")}
    asked = {key for key in found if not key.watch.startswith(ANSWERED)}
    assert {key for key in watched.keys if key.watch not in without} == asked


def test_sums_of_parts_are_those_of_the_whole(baseline: Baseline, watched: Catalogue) -> None:
    rows = baseline.reference
    parts = [rows.take(np.arange(len(rows)) % 3 == remainder) for remainder in range(3)]
    assert merged([sums_of(part, watched) for part in parts]) == sums_of(rows, watched)


def test_a_row_whose_answer_is_not_finite_counts_for_its_inputs_alone(baseline: Baseline, watched: Catalogue) -> None:
    rows = baseline.reference
    broken = np.array(rows.probabilities)
    broken[:10, 0] = np.nan
    odd = replace(rows, probabilities=broken)
    found = sums_of(odd, watched)
    assert found[WatchKey(watch="output:late")].rows == len(rows) - 10
    assert found[WatchKey(watch="input:temp:location")].rows == len(rows)
    assert found[WatchKey(watch="unusable_answers")].mean == pytest.approx(10 / len(rows))
    assert found[WatchKey(watch="error")].rows == len(rows) - 10


def test_only_labelled_rows_have_losses(baseline: Baseline, watched: Catalogue) -> None:
    rows = baseline.reference
    labels = np.array(rows.labels)
    labels[::2] = NO_LABEL
    half = replace(rows, labels=labels)
    known = labelled_rows(half)
    assert known.sum() == len(rows) // 2
    found = sums_of(half, watched)[WatchKey(watch="brier")]
    losses = watched.task.losses(rows.probabilities[known], rows.labels[known])["brier"]
    assert found.mean == pytest.approx(float(losses.mean()), abs=1e-9)


def test_watches_of_one_input_or_family_share_a_group(watched: Catalogue) -> None:
    groups = watched.groups
    assert groups["input:temp:location"] == groups["input:temp:spread"] == "input:temp"
    assert groups["missing:temp"] == groups["unusable_answers"] == "integrity"
    assert groups["estimated_error"] == groups["estimated_brier"] == "estimates"
    assert groups["error"] == "error"
    assert groups["joint"] == "joint"
    assert set(groups) == set(watched.watches)


def test_every_watch_is_in_one_family(watched: Catalogue) -> None:
    names = [watch.name for family in watched.families for watch in family.watches]
    assert len(names) == len(set(names)) == len(watched.watches)


def test_without_enough_labels_there_are_no_estimates(tmp_path: Path) -> None:
    few = catalogue(baseline_of(tmp_path, reference(labels=199)))
    assert few.calibration is None
    assert few.find(EstimateWatches) is None
    assert "estimated_error" not in few.watches


def test_without_probabilities_only_the_error_and_the_classes_are_watched(tmp_path: Path) -> None:
    spec = replace(SPEC, has_probabilities=False, columns=(("temp", "double"), ("origin", "string")))
    table = reference()
    answers = np.eye(2)[[int(row[1] > 0.5) for row in table["probabilities"].to_pylist()]].tolist()
    place = table.column_names.index("probabilities")
    known = catalogue(baseline_of(tmp_path, table.set_column(place, "probabilities", pa.array(answers)), spec))
    assert known.losses.names == ("error",)
    by_family = {watch.family: watch.name for watch in known.watches.values()}
    assert (by_family["estimates"], by_family["outputs"]) == ("estimated_error", "output:late")


@pytest.mark.parametrize("column", ["temp", "carrier"])
def test_a_slice_by_anything_but_a_category_input_is_refused(baseline: Baseline, column: str) -> None:
    with pytest.raises(BadInput, match="sliced by a category input only") as refused:
        catalogue(baseline, (column,))
    assert "origin" in str(refused.value)


def test_a_column_has_slices_of_its_commonest_values(tmp_path: Path) -> None:
    many = catalogue(baseline_of(tmp_path, reference(origins=30)), ("origin",))
    assert len(many.slices["origin"]) == MAX_SLICE_VALUES
    assert list(many.slices["origin"]) == sorted(many.slices["origin"])
