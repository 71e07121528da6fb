from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from monitoring.records import BaselineScore, ColumnNote, Rebaseline, Sensitivity


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


def test_words_that_the_dictionary_does_not_have_are_empty() -> None:
    assert ColumnNote(unit="EUR") == ColumnNote(unit="EUR", description="")


def test_it_stands_until_it_is_undone_and_closes_nothing_by_itself() -> None:
    day = datetime(2026, 4, 5, tzinfo=UTC)
    made = Rebaseline(at=day, by="ada", reason="prices", start=day, end=day, since=day, former_basis="ab")
    assert (made.undone_at, made.undone_by, made.closed, made.former_section) == (None, "", (), "")
