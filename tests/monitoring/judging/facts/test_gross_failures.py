from __future__ import annotations

import numpy as np
import pytest

from monitoring.baseline.moments import Moments
from monitoring.baseline.profile import Bins, FeatureCounts, Profile
from monitoring.judging.facts.fact_limits import FactLimits, ObservedWindow
from monitoring.judging.facts.gross_failures import gross_limits, outside_inputs, range_findings, share_limits
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey
from monitoring.sentences.finding_text import finding_text

MISSING = WatchKey(watch="missing:income")
UNSEEN = WatchKey(watch="unseen:branch")
ANSWERS = WatchKey(watch="unusable_answers")
ERROR = WatchKey(watch="error")
ABSOLUTE = WatchKey(watch="absolute_error")
RNG = np.random.default_rng(0)
MEANS = {
    MISSING: np.full(60, 0.01),
    UNSEEN: np.zeros(60),
    ANSWERS: np.zeros(60),
    ERROR: 0.22 + 0.03 * RNG.standard_normal(60),
}
FEATURES = {"missing:income": "income", "unseen:branch": "branch"}


def fitted(means: dict[WatchKey, np.ndarray], features: dict[str, str], numbers: int = 0) -> FactLimits:
    return FactLimits(threshold=365.0, gross=gross_limits(means, features), ranges=numbers)


FAILURES = fitted(MEANS, FEATURES)
ALPHA = FAILURES.alpha


def share(rows: int, part: float) -> ScoreSum:
    return ScoreSum(rows, round(rows * part) * SCORE_ONE)


@pytest.mark.parametrize("rows", [100, 1_000, 1_000_000])
@pytest.mark.parametrize(
    ("key", "part"), [(MISSING, 0.99), (MISSING, 1.0), (UNSEEN, 1.0), (ANSWERS, 0.4), (ANSWERS, 0.83), (ERROR, 0.78)]
)
def test_a_disaster_of_one_window_is_a_fact_at_every_volume(rows: int, key: WatchKey, part: float) -> None:
    (fact,) = FAILURES.findings(ObservedWindow(sums={key: share(rows, part)}))
    assert fact.fact
    assert f"{100 * share(rows, part).mean:.0f} %" in finding_text(fact)


@pytest.mark.parametrize("rows", [100, 1_000, 1_000_000])
@pytest.mark.parametrize(("key", "part"), [(MISSING, 0.05), (UNSEEN, 0.15), (ANSWERS, 0.05), (ERROR, 0.5)])
def test_what_evidence_over_windows_is_for_is_no_gross_failure(rows: int, key: WatchKey, part: float) -> None:
    assert FAILURES.findings(ObservedWindow(sums={key: share(rows, part)})) == ()


@pytest.mark.parametrize(("part", "told"), [(1.0, True), (0.85, True), (0.5, False)])
def test_labels_of_another_unit_are_far_from_every_predicted_number(part: float, told: bool) -> None:
    numbers = fitted({ABSOLUTE: 0.09 + 0.02 * RNG.standard_normal(60)}, {})
    found = numbers.findings(ObservedWindow(sums={ABSOLUTE: share(300, part)}))
    assert [(one.kind, one.feature, one.fact) for one in found] == [
        ("labels contradict answers", "labels", True)
    ] * told
    assert all("check the units of labels and answers" in finding_text(one) for one in found)
    assert numbers.findings(ObservedWindow(sums={ABSOLUTE: share(4, part)})) == ()


def test_a_handful_of_rows_shows_nothing_beyond_doubt() -> None:
    assert FAILURES.findings(ObservedWindow(sums={MISSING: share(1, 1.0), ERROR: share(8, 1.0)})) == ()


def test_what_a_window_of_the_baseline_had_is_no_gross_failure() -> None:
    snow = fitted({ERROR: np.array([0.2] * 59 + [0.6])}, {})
    assert snow.findings(ObservedWindow(sums={ERROR: share(900, 0.7)})) == ()
    mostly = fitted({MISSING: np.array([0.5] * 60)}, FEATURES)
    assert mostly.findings(ObservedWindow(sums={MISSING: share(900, 0.7)})) == ()
    assert mostly.findings(ObservedWindow(sums={MISSING: share(900, 0.99)}))


def test_false_facts_are_a_tenth_of_the_budget_at_most() -> None:
    """Windows at the rate that each limit takes for sound, a thousand years of days: fewer than one in ten years."""
    rng = np.random.default_rng(1)
    found = 0
    for limit in FAILURES.gross.values():
        counts = rng.binomial(400, limit.null, size=20_000)
        found += sum(limit.exceeded(ScoreSum(400, int(count) * SCORE_ONE), FAILURES.alpha) for count in counts)
    assert found <= 20_000 / 365 * 0.1 + 10


def counted(edges: tuple[float, ...], values: np.ndarray) -> FeatureCounts:
    places = np.searchsorted(np.asarray(edges), values, side="right")
    return FeatureCounts(tuple(np.bincount(places, minlength=len(edges) + 1).tolist()), 0, Moments.of(values))


@pytest.mark.parametrize(("factor", "out"), [(1.0, False), (1.5, False), (12.0, True), (100.0, True), (0.01, True)])
def test_another_unit_is_out_of_range(factor: float, out: bool) -> None:
    income = np.exp(RNG.normal(3.0, 0.5, 4000))
    edges = tuple(np.quantile(income, np.linspace(0, 1, 65)[1:-1]).tolist())
    bins = (Bins(feature="income", edges=edges),)
    live = Profile(rows=400, features=(counted(edges, income[:400] * factor),))
    assert bool(range_findings(bins, live, alpha=ALPHA)) is out


@pytest.mark.parametrize(("rows", "out"), [(4, False), (20, True), (100, True), (1_000, True), (100_000, True)])
@pytest.mark.parametrize(("centre", "factor"), [(10.0, 100.0), (0.0, 100.0), (0.0, 1e6), (40.0, 0.01)])
def test_another_unit_is_out_of_range_at_every_volume_but_a_handful(
    rows: int, out: bool, centre: float, factor: float
) -> None:
    values = RNG.normal(centre, 1.0, max(rows, 4000))
    edges = tuple(np.quantile(values, np.linspace(0, 1, 65)[1:-1]).tolist())
    live = Profile(rows=rows, features=(counted(edges, values[:rows] * factor),))
    found = range_findings((Bins(feature="income", edges=edges),), live, alpha=ALPHA)
    assert [(one.kind, one.feature, one.fact) for one in found] == [("out of range", "income", True)] * (
        out and (centre > 0.0 or factor > 1.0)
    )


def test_what_describes_a_column_is_not_said_to_have_a_unit() -> None:
    values = RNG.normal(10.0, 1.0, 4000)
    edges = tuple(np.quantile(values, np.linspace(0, 1, 65)[1:-1]).tolist())
    live = Profile(rows=4000, features=(counted(edges, values * 100.0),))
    bins = (Bins(feature="comment.words", edges=edges),)
    (plain,) = range_findings(bins, live, alpha=ALPHA)
    (found,) = range_findings(bins, live, alpha=ALPHA, sources={"comment.words": "comment"})
    assert finding_text(plain).endswith("check its unit, and what fills it.")
    assert finding_text(found).endswith("check what fills comment.")


def test_ranges_share_the_budget_of_gross_failures() -> None:
    with_numbers = fitted(MEANS, FEATURES, numbers=4)
    assert with_numbers.alpha == pytest.approx(FAILURES.alpha * 7 / 11)


def test_a_season_is_not_out_of_range() -> None:
    winter = RNG.normal(2.0, 6.0, 4000)
    edges = tuple(np.quantile(winter, np.linspace(0, 1, 65)[1:-1]).tolist())
    for mean in (30.0, -12.0):  # a hot week, and a cold one, of most days below the coldest of the reference
        week = Profile(rows=400, features=(counted(edges, RNG.normal(mean, 3.0, 400)),))
        assert range_findings((Bins(feature="temp", edges=edges),), week, alpha=ALPHA) == ()


def test_positive_numbers_that_turn_negative_are_out_of_range() -> None:
    weights = RNG.normal(50.0, 10.0, 4000)
    edges = tuple(np.quantile(weights, np.linspace(0, 1, 65)[1:-1]).tolist())
    bins = (Bins(feature="weight", edges=edges),)
    for turned, out in ((-weights[:400], True), (weights[:400] - 50.0, False)):
        week = Profile(rows=400, features=(counted(edges, turned),))
        assert bool(range_findings(bins, week, alpha=ALPHA)) is out


def test_one_wild_value_is_not_out_of_range() -> None:
    income = np.exp(RNG.normal(3.0, 0.5, 4000))
    edges = tuple(np.quantile(income, np.linspace(0, 1, 65)[1:-1]).tolist())
    wild = income[:400].copy()
    wild[0] = 1e9
    live = Profile(rows=400, features=(counted(edges, wild),))
    assert range_findings((Bins(feature="income", edges=edges),), live, alpha=ALPHA) == ()


WITH_SHARES = FactLimits(threshold=365.0, gross=FAILURES.gross, shares=share_limits(FAILURES.gross))


@pytest.mark.parametrize(
    ("key", "rows", "part", "kinds"),
    [
        (MISSING, 2_700, 0.19, ["more values missing"]),
        (MISSING, 300, 0.12, ["more values missing"]),
        (UNSEEN, 2_700, 0.19, ["more values unseen"]),
        (UNSEEN, 2_700, 0.5, ["values unseen"]),  # one of them, not both
        (MISSING, 2_700, 0.04, []),
        (MISSING, 40, 0.06, []),  # by chance
        (ANSWERS, 2_700, 0.19, []),
    ],
)
def test_a_share_that_no_window_of_the_baseline_had_is_told_in_its_first_window(
    key: WatchKey, rows: int, part: float, kinds: list[str]
) -> None:
    found = WITH_SHARES.findings(ObservedWindow(sums={key: share(rows, part)}))
    assert [finding.kind for finding in found] == kinds
    assert all("in the baseline's worst window it was" in finding_text(finding) for finding in found)


@pytest.mark.parametrize(("part", "lasts"), [(0.3, True), (0.1, True), (0.021, True), (0.01, False)])
def test_a_share_is_over_when_it_is_near_the_baseline_and_not_below_its_threshold(part: float, lasts: bool) -> None:
    lasting = WITH_SHARES.lasting({MISSING: share(1_000, part)})
    assert (("values missing", "income") in lasting) is lasts
    assert (("more values missing", "income") in lasting) is lasts


@pytest.mark.parametrize(
    ("share_of_rows", "fact", "lasts"), [(1.0, True, True), (0.55, True, True), (0.4, False, True), (0.0, False, False)]
)
def test_a_unit_of_a_part_of_the_rows_lasts_though_it_is_below_the_limit(
    share_of_rows: float, fact: bool, lasts: bool
) -> None:
    """Months in place of years in some rows: whether a day is a fact hangs on a few of them, whether it is over not."""
    age = RNG.integers(18, 81, 4000).astype(float)
    edges = tuple(np.unique(np.quantile(age, np.linspace(0, 1, 65)[1:-1])).tolist())
    now = np.where(np.arange(400) < 400 * share_of_rows, age[:400] * 12.0, age[:400])
    bins, live = (Bins(feature="age", edges=edges),), Profile(rows=400, features=(counted(edges, now),))
    assert bool(range_findings(bins, live, alpha=ALPHA)) is fact
    assert bool(outside_inputs(bins, live)) is lasts
