"""TFDV's comparators over the profile's statistics: TFDV's own distances, and findings beyond their threshold."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.comparators import Comparators
from monitoring.baseline.profile import Bins
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.schema import infer_schema
from monitoring.baseline.statistics import dataset_statistics
from monitoring.errors import BadInput

EDGES = tuple(float(edge) for edge in np.linspace(-3.0, 3.0, 63))
BINS = (Bins(feature="temp", edges=EDGES), Bins(feature="origin", categories=("EWR", "JFK")))


def rows(shift: float, share: float, *, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {"temp": rng.normal(shift, 1.0, 4_000), "origin": rng.choice(["EWR", "JFK"], 4_000, p=[share, 1.0 - share])}
    )


def statistics(table: pa.Table, *, without: tuple[str, ...] = ()) -> Any:
    return dataset_statistics(ProfileBuilder(BINS).count(table), BINS, without=without)


def compared(name: str, field: str, measure: str, threshold: float = 0.1) -> Any:
    """The schema of quiet rows with one comparator."""
    schema = infer_schema(rows(0.0, 0.5))
    feature = next(feature for feature in schema.feature if feature.name == name)
    getattr(getattr(feature, field), measure).threshold = threshold
    return schema


@pytest.mark.parametrize(
    ("name", "measure", "words"),
    [
        ("origin", "infinity_norm", "L-infinity distance"),
        ("origin", "jensen_shannon_divergence", "Jensen-Shannon divergence"),
        ("temp", "jensen_shannon_divergence", "Jensen-Shannon divergence"),
    ],
)
def test_a_column_beyond_its_threshold_is_a_finding_against_the_baseline_and_the_previous_window(
    name: str, measure: str, words: str
) -> None:
    quiet, moved, again = statistics(rows(0.0, 0.5)), statistics(rows(1.5, 0.9)), statistics(rows(0.0, 0.5, seed=1))
    skew = Comparators.of(compared(name, "skew_comparator", measure), BINS)
    (found,) = skew.against_baseline(moved, quiet)
    assert (found.kind, found.feature, found.fact) == ("skew", name, False)
    assert f"{name}: {words} from the baseline 0." in found.message
    assert found.message.endswith("its comparator allows 0.1.")
    assert skew.against_baseline(again, quiet) == ()
    assert skew.compared_statistics(moved) == ""
    drift = Comparators.of(compared(name, "drift_comparator", measure), BINS)
    assert drift.against_baseline(moved, quiet) == ()
    (found,) = drift.against_previous(moved, drift.compared_statistics(quiet))
    assert (found.kind, found.feature) == ("drift", name)
    assert drift.against_previous(moved, drift.compared_statistics(moved)) == ()
    assert drift.against_previous(moved, "") == ()


def test_the_distances_are_those_of_tfdvs_own_statistics() -> None:
    schema = compared("origin", "skew_comparator", "infinity_norm", 0.0)
    temp = next(feature for feature in schema.feature if feature.name == "temp")
    temp.skew_comparator.jensen_shannon_divergence.threshold = 0.0
    quiet, moved = rows(0.0, 0.5), rows(1.5, 0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TFDV's imports warn of their own future
        import tensorflow_data_validation as tfdv

    def measured(baseline: Any, window: Any) -> dict[str, float]:
        found = tfdv.validate_statistics(baseline, schema, environment="SERVING", serving_statistics=window)
        return {info.path.step[0]: info.skew_measurements[0].value for info in found.drift_skew_info}

    options = tfdv.StatsOptions(schema=schema)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TFDV's generator warns of pandas' future
        theirs = [
            tfdv.generate_statistics_from_dataframe(table.to_pandas(), stats_options=options, n_jobs=1)
            for table in (quiet, moved)
        ]
    own, other = measured(statistics(quiet), statistics(moved)), measured(*theirs)
    assert own["origin"] == other["origin"]
    assert own["temp"] == pytest.approx(other["temp"], rel=0.05)


def test_a_column_that_is_absent_or_empty_is_left_to_the_schema() -> None:
    comparators = Comparators.of(compared("origin", "skew_comparator", "infinity_norm"), BINS)
    quiet = statistics(rows(0.0, 0.5))
    assert comparators.against_baseline(statistics(rows(1.5, 0.9), without=("origin",)), quiet) == ()


@pytest.mark.parametrize("measure", ["infinity_norm", "normalized_abs_difference"])
def test_a_comparator_that_can_never_find_anything_is_refused(measure: str) -> None:
    with pytest.raises(BadInput, match="can never find anything") as refused:
        Comparators.of(compared("temp", "drift_comparator", measure), BINS)
    assert "jensen_shannon_divergence" in str(refused.value)


def test_a_comparator_on_a_column_that_no_window_has_is_refused() -> None:
    with pytest.raises(BadInput, match="no window has"):
        Comparators.of(compared("temp", "skew_comparator", "jensen_shannon_divergence"), BINS[1:])
