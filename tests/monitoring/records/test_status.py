from __future__ import annotations

from dataclasses import asdict

from monitoring.records import BaselineScore, Sensitivity


def test_a_baseline_score_of_an_earlier_version_has_no_cycle() -> None:
    score = BaselineScore(level="page", watch="brier", slice="", mean=0.1, deviation=0.02, tolerance=0.0, windows=60)
    assert (score.cycle, score.gain) == ("", 1.0)


def test_the_keys_of_stored_baseline_scores_and_sensitivity_are_those_of_earlier_versions() -> None:
    score = BaselineScore(level="page", watch="brier", slice="", mean=0.1, deviation=0.02, tolerance=0.0, windows=60)
    assert set(asdict(score)) == {
        "level",
        "watch",
        "slice",
        "mean",
        "deviation",
        "tolerance",
        "windows",
        "cycle",
        "gain",
    }
    assert set(asdict(Sensitivity(metric="brier", slice="", windows=7, rise=None))) == {
        "metric",
        "slice",
        "windows",
        "rise",
    }
