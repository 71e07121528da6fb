"""Settings of a rollout as text."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.rollout.decision_rules import DecisionRules, GuardRule
from monitoring.rollout.rollout_settings import iso, rules_of_text, setting, settings_text

rules = st.builds(
    DecisionRules,
    min_effect=st.none() | st.floats(0, 1),
    wrong=st.floats(0.001, 0.5),
    require=st.sampled_from(["better", "not worse"]),
    guards=st.lists(
        st.builds(GuardRule, name=st.sampled_from(["slices", "errors"]), limit=st.none() | st.floats(0.1, 1)),
        max_size=2,
    ).map(tuple),
    horizon=st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds)),
)


@given(rules)
def test_rules_come_back(one: DecisionRules) -> None:
    assert rules_of_text(settings_text(one, key="user")) == one
    assert setting(settings_text(one, key="user"), "key") == "user"
    assert setting(settings_text(one), "key") is None
    assert iso(None) is None
