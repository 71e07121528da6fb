"""Streams are drawn day by day, so that every monitor sees the same days."""

from __future__ import annotations

import numpy as np

from benchmarks.truth.lender.changes import flipped
from benchmarks.truth.lender.streams import HARMED, Losses, calm_days, harmed_days


def test_a_day_is_the_same_wherever_its_stream_begins() -> None:
    early, late = calm_days(1, 0, 5), calm_days(1, 3, 2)
    np.testing.assert_array_equal(early[3].labels, late[0].labels)


def test_a_harm_that_grows_is_not_all_there_on_its_first_day() -> None:
    sudden, growing = (harmed_days(1, flipped(30.0), over, first=10) for over in (1, 60))
    assert len(sudden) == HARMED
    losses = Losses.of([sudden, growing])
    assert losses.errors[0, :5].mean() > losses.errors[1, :5].mean() + 0.1
    assert abs(float(losses.errors[0, 60:].mean() - losses.errors[1, 60:].mean())) < 0.02
