"""Surprise: realised minus expected loss, an exact split of any change of a loss."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.records import Watch
from monitoring.tasks.task import surprise_watch, surprises

LOSS = Watch(name="absolute_error", family="performance", level="page", needs_label=True, scale=20.0)


def test_a_loss_is_its_expectation_plus_its_surprise_in_the_losss_own_unit() -> None:
    realised, expected = np.array([0.0, 0.25, 1.0]), np.array([1.0, 0.25, 0.5])
    watch = surprise_watch(LOSS)
    scores = surprises({"absolute_error": realised}, {"absolute_error": expected})[watch.name]
    assert ((scores >= 0.0) & (scores <= 1.0)).all()
    values = [watch.value(score) for score in scores.tolist()]
    assert values == pytest.approx((20.0 * (realised - expected)).tolist())


def test_a_score_of_one_half_is_no_surprise_and_it_pages() -> None:
    watch = surprise_watch(LOSS)
    assert (watch.value(0.0), watch.value(0.5), watch.value(1.0)) == (-20.0, 0.0, 20.0)
    assert (watch.family, watch.level, watch.needs_label) == ("surprise", "page", True)
