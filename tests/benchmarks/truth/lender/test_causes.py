"""Faults of one input do to the lender's days what their names say, and pages name what the table counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarks.truth.lender.causes import CHANGED, FAULTS, LABELS, NOBODY, faulty, named_first
from benchmarks.truth.lender.law import Day, calm_day
from monitoring.records import FACT_WATCH, CauseDetail, IncidentRecord, InputDrift

NOW = datetime(2024, 1, 1, tzinfo=UTC)
PAGE = IncidentRecord(
    number=1, level="page", state="open", opened_at=NOW, window_start=NOW, window_end=NOW, watch="brier", slice=""
)


@pytest.fixture
def day() -> Day:
    return calm_day(3, np.random.default_rng(0), rows=4000)


@pytest.mark.parametrize("name", [*FAULTS, NOBODY])
def test_a_fault_changes_the_amounts_the_answers_and_no_label(day: Day, name: str) -> None:
    after = faulty(day, name, np.random.default_rng(1))
    others = [at for at in range(4) if at != CHANGED]
    np.testing.assert_array_equal(after.numbers[:, others], day.numbers[:, others])
    np.testing.assert_array_equal(after.labels, day.labels)
    assert (after.numbers[:, CHANGED] != day.numbers[:, CHANGED]).mean() > 0.25
    assert after.errors.mean() > day.errors.mean()


def test_amounts_of_other_rows_are_the_same_amounts(day: Day) -> None:
    amounts = np.sort(faulty(day, NOBODY, np.random.default_rng(1)).numbers[:, CHANGED])
    assert abs(float(amounts.mean() - day.numbers[:, CHANGED].mean())) < 0.05


def test_labels_alone_are_flipped(day: Day) -> None:
    after = faulty(day, LABELS, np.random.default_rng(1))
    np.testing.assert_array_equal(after.numbers, day.numbers)
    assert after.errors.mean() - day.errors.mean() == pytest.approx(0.1, abs=0.02)


def test_an_input_that_explains_little_is_not_named_first() -> None:
    def naming(*inputs: InputDrift) -> str:
        return named_first(replace(PAGE, detail=CauseDetail(inputs=inputs)))

    assert naming() == naming(InputDrift(input="other1", log_evidence=9.0, explained=0.1)) == ""
    assert naming(InputDrift(input="amount", log_evidence=9.0, explained=0.6)) == "amount"
    assert naming(InputDrift(input="amount", log_evidence=9.0)) == "amount"
    assert named_first(replace(PAGE, watch=FACT_WATCH, slice="amount")) == "amount"
