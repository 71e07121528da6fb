from __future__ import annotations

import numpy as np
import pytest

from monitoring.judging.fit.tolerances import MIN_STD_IN_TOLERANCES, SMALLEST_RANK, Tolerances
from monitoring.records import Watch, WatchKey
from monitoring.watches import label_coverage
from tests.monitoring.judging.small_judge import small_judge

TOLERANCES = Tolerances(error=0.02, brier=0.01, integrity=0.005)
WATCHES = small_judge().catalogue.watches


@pytest.mark.parametrize(
    ("watch", "tolerance"),
    [
        ("error", 0.02),
        ("brier", 0.01),
        ("surprise_error", 0.02),
        ("surprise_brier", 0.01),
        ("estimated_error", 0.02),
        ("estimated_brier", 0.01),
        ("missing:temp", 0.005),
        ("unusable_answers", 0.005),
        ("labelled:origin=EWR", label_coverage.TOLERANCE),
        ("output:late", 0.0),
    ],
)
def test_a_tolerance_is_that_of_the_watchs_metric_in_its_own_unit(watch: str, tolerance: float) -> None:
    found = TOLERANCES.score_tolerance(WATCHES[watch]) * WATCHES[watch].scale
    assert found == pytest.approx(tolerance)


def test_a_ranking_loss_has_a_tolerance_by_the_benchmarks_uncertainty_or_the_smallest_that_matters() -> None:
    steady, noisy = np.full(25, 0.1), np.array([0.1, 0.2] * 50)
    found = TOLERANCES.completed({WatchKey(watch="rank:a"): steady, WatchKey(watch="rank:late"): noisy})
    assert found.ranks == {"rank:a": SMALLEST_RANK, "rank:late": pytest.approx(0.01, rel=0.01)}
    surprise = WATCHES["surprise_rank:late"]
    assert found.score_tolerance(surprise) * surprise.scale == pytest.approx(found.ranks["rank:late"])


def test_every_watch_of_the_catalogue_has_a_tolerance_of_zero_or_more() -> None:
    assert all(TOLERANCES.score_tolerance(watch) >= 0.0 for watch in WATCHES.values())


@pytest.mark.parametrize("name", sorted(WATCHES))
def test_only_integrity_and_label_coverage_assume_a_smallest_deviation(name: str) -> None:
    watch: Watch = WATCHES[name]
    expected = MIN_STD_IN_TOLERANCES * TOLERANCES.score_tolerance(watch)
    assert TOLERANCES.min_std(watch) == (expected if watch.family in ("integrity", "labelled") else 0.0)
