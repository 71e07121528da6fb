"""The terms of a comparison: how a budget of wrong promotions is read."""

from __future__ import annotations

import pytest

from monitoring.rollout.evidence.terms import wrong_budget


@pytest.mark.parametrize("text", ["20", "1 in 1", "2 in 20", "1 in twenty", "1 in 20 times", "1 in -5", "one"])
def test_a_budget_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        wrong_budget(text)
