from __future__ import annotations

import pytest

from monitoring.judging.facts.traffic_volume import (
    FEWER_LABELS,
    fewer_label_findings,
    lasting_findings,
    usual_volumes,
    volume_findings,
)
from monitoring.judging.facts.volume_range import usual_rows
from monitoring.sentences.finding_text import finding_text

WEEK = [({"week": day % 7}, 1000 if day % 7 < 5 else 30) for day in range(28)]


def test_a_quiet_weekend_is_usual_and_a_quiet_monday_is_not() -> None:
    assert usual_rows(WEEK, {"week": 5}) == 30
    assert volume_findings(25, usual_volumes(WEEK, (), {"week": 5})) == ()
    (fact,) = volume_findings(25, usual_volumes(WEEK, (), {"week": 0}))
    assert fact.fact
    assert finding_text(fact) == "25 rows arrived; 1,000 are usual for this window."


@pytest.mark.parametrize(("rows", "told"), [(0, True), (99, True), (150, False), (9_000, False), (10_000, True)])
def test_from_ten_times_on_it_is_a_fact(rows: int, told: bool) -> None:
    assert bool(volume_findings(rows, (1000.0,))) is told


def test_before_anything_is_usual_nothing_is_said() -> None:
    assert usual_rows([], {"week": 0}) is None
    assert usual_rows(WEEK[:6], {"week": 6}) is None
    assert usual_rows(WEEK[:10], {"week": 4}) is None, "volume varies, and there was one such day"
    assert volume_findings(0, ()) == ()


def test_even_traffic_has_a_usual_volume_after_a_week() -> None:
    even = [({"week": day % 7}, 400 + day) for day in range(7)]
    assert usual_rows(even, {"week": 0}) == 403


def test_windows_without_rows_make_nothing_usual() -> None:
    silent = [*WEEK, *(({"week": day % 7}, 0) for day in range(14))]
    assert usual_rows(silent, {"week": 0}) == 1000


def test_a_trickle_has_no_usual_volume() -> None:
    assert volume_findings(0, (10.0,)) == ()


EVEN = tuple(({"week": day % 7}, 400) for day in range(28))


def test_until_live_traffic_is_known_the_reference_says_what_is_usual() -> None:
    live = [({"week": 0}, 390), ({"week": 1}, 410)]
    (fact,) = volume_findings(0, usual_volumes(live, EVEN, {"week": 2}))
    assert finding_text(fact) == "No rows arrived; 400 are usual for this window by the reference."
    assert volume_findings(5_000, usual_volumes(live, EVEN, {"week": 2}))
    assert volume_findings(380, usual_volumes(live, EVEN, {"week": 2})) == ()


def test_a_reference_that_is_a_sample_of_the_traffic_is_no_outage_and_no_flood() -> None:
    for factor in (0.01, 50.0):
        live = [({"week": day}, round(400 * factor)) for day in range(3)]
        assert volume_findings(round(400 * factor), usual_volumes(live, EVEN, {"week": 3})) == ()


def test_a_first_window_that_was_cut_off_makes_the_second_one_no_flood() -> None:
    assert usual_volumes([], EVEN, {"week": 0}) == ()
    assert volume_findings(400, usual_volumes([({"week": 0}, 9)], EVEN, {"week": 1})) == ()


def test_live_traffic_counts_alone_once_it_is_known() -> None:
    live = [({"week": day % 7}, 40) for day in range(14)]
    assert usual_volumes(live, EVEN, {"week": 0}) == (40.0,)


@pytest.mark.parametrize(("factor", "told"), [(0.5, "-50 %"), (0.8, ""), (1.2, ""), (2.0, "+100 %")])
def test_a_week_at_another_level_is_told_whatever_its_weekends(factor: float, told: str) -> None:
    week = [({"week": day % 7}, round(factor * (1000 if day % 7 < 5 else 200))) for day in range(7)]
    usual = [({"week": day % 7}, 1000 if day % 7 < 5 else 200) for day in range(21)]
    findings = lasting_findings((*usual, *week), ())
    assert [finding_text(finding).partition("(")[2].partition(")")[0] for finding in findings] == [told] * bool(told)
    assert lasting_findings((*usual, *week[:6]), ()) == (), "six windows may be a holiday"


def test_without_what_was_usual_a_new_level_is_usual_after_some_weeks_and_an_outage_is_told_by_itself() -> None:
    days = [({"week": day % 7}, 400 if day < 28 else 200) for day in range(90)]
    assert lasting_findings(days[:35], ())
    assert lasting_findings(days, ()) == ()
    assert lasting_findings((*days[:34], ({"week": 6}, 0)), ()) == ()


def test_half_of_the_labels_are_missed_and_fewer_rows_explain_fewer_labels() -> None:
    def kinds(labels: list[int], rows: list[int]) -> list[str]:
        history = [({"week": day % 7}, count) for day, count in enumerate(labels)]
        return [finding.kind for finding in fewer_label_findings(history, rows, 5)]

    usual = [100 if day % 7 < 5 else 0 for day in range(56)]
    half = [count // 2 for count in usual[:7]]
    late = [0] * 7 + usual[:49]
    assert kinds(usual + half, [400] * 63) == [FEWER_LABELS]
    assert kinds([*usual, 0, 0, 0, 0, *usual[:3]], [400] * 63) == [], "four days are a holiday"
    assert kinds(late + half, [400] * 56 + [200] * 7) == [], "half of the rows"
    assert kinds(late + half, [400] * 63) == [FEWER_LABELS], "the first windows have no labels yet"
    assert kinds(usual + half * 9, [400] * 119) == [], "by itself: `volume_check` keeps what was usual"
    assert kinds(usual + [0] * 7, [400] * 63) == [], "labels that stop are told by themselves"
