from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.config.values import budget, budget_numbers, window_length
from monitoring.errors import BadInput
from monitoring.evidence.budget import Budget
from monitoring.traffic.windows import CalendarPlan


@given(st.from_regex(r"\s?[0-9]{1,4} (per|in|of) [0-9]{1,4} (windows?|rows)", fullmatch=True))
def test_config_and_evidence_agree_on_what_a_budget_is(text: str) -> None:
    try:
        parsed = Budget.parse(text)
    except BadInput:
        with pytest.raises(ValueError, match="not a budget"):
            budget(text)
    else:
        assert budget_numbers(budget(text)) == (parsed.alarms, parsed.windows)


@given(st.from_regex(r"[0-9]{1,3}[smhdw]", fullmatch=True))
def test_windows_that_the_config_lets_pass_can_be_cut(text: str) -> None:
    try:
        window_length(text)
    except ValueError:
        return
    assert CalendarPlan(every=text).every == text
