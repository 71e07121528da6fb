from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.incidents.onset import HISTORY, onset, since_onset
from tests.monitoring.incidents.alarms import FIRST, alarm, windows


@given(before=st.integers(0, 40), after=st.integers(1, 40))
def test_a_clean_step_begins_where_it_begins(before: int, after: int) -> None:
    found = alarm("brier", windows(brier=[0.15] * before + [0.35] * after))
    assert onset(found) == before


def test_windows_without_a_score_are_passed_over() -> None:
    found = alarm("brier", windows(brier=[0.15, None, 0.15, None, 0.35, None, 0.35]))
    assert onset(found) == 4


@pytest.mark.parametrize(("top", "place"), [("brier", 4), ("output:late", 2)])
def test_only_a_two_sided_watch_can_have_fallen(top: str, place: int) -> None:
    name = top.replace(":", "__")
    base = 0.15 if top == "brier" else 0.0
    found = alarm(top, windows(**{name: [base, base, base - 0.3, base - 0.3, base + 0.1]}))
    assert onset(found) == place


def test_no_more_than_the_last_windows_are_searched() -> None:
    found = since_onset(alarm("brier", windows(brier=[0.35] * (HISTORY + 10))))
    assert len(found.windows) == HISTORY
    assert (found.windows[0].start - FIRST).days == 10


def test_the_window_that_alarmed_is_always_kept() -> None:
    found = since_onset(alarm("brier", windows(brier=[0.05, 0.05, 0.05])))
    assert found.windows[-1] == windows(brier=[0.05, 0.05, 0.05])[-1]
