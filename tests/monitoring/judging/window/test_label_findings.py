from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.judging.window.label_findings import OverdueLabels, UnknownClassLabels, UnmatchedLabels

COUNTS = st.integers(0, 1000)
WORDS = st.frozensets(st.text(max_size=4), max_size=5)
UNKNOWN = st.builds(UnknownClassLabels, labels=COUNTS, words=WORDS)
UNMATCHED = st.builds(UnmatchedLabels, labels=COUNTS, one=st.text(max_size=4))


@given(UNKNOWN, UNKNOWN, UNKNOWN)
def test_unknown_classes_add_up_in_any_order(
    one: UnknownClassLabels, two: UnknownClassLabels, three: UnknownClassLabels
) -> None:
    assert (one + two) + three == one + (two + three)
    assert one + two == two + one
    assert one + UnknownClassLabels() == one


@given(UNMATCHED, UNMATCHED, UNMATCHED)
def test_unmatched_labels_add_up_in_any_order(
    one: UnmatchedLabels, two: UnmatchedLabels, three: UnmatchedLabels
) -> None:
    assert (one + two) + three == one + (two + three)
    assert one + two == two + one
    assert one + UnmatchedLabels() == one


def test_one_label_of_no_class_is_shown_as_it_is() -> None:
    [finding] = UnknownClassLabels(labels=1, words=frozenset({"Late "})).findings(("on_time", "late"))
    assert (finding.kind, finding.fact) == ("unknown labels", False)
    assert finding.message == "1 label is none of the classes on_time, late, and is ignored: 'Late '."


def test_of_many_classes_ten_are_named_and_long_labels_are_cut() -> None:
    classes = tuple(f"c{number}" for number in range(11))
    [finding] = UnknownClassLabels(labels=1_234, words=frozenset({"x" * 500, "y"})).findings(classes)
    named = ", ".join(classes[:10])
    assert finding.message == f"1,234 labels are none of the classes {named}, …, and are ignored; one is {'x' * 60!r}."


@pytest.mark.parametrize(("labels", "matched", "found"), [(0, 0, 0), (1, 0, 1), (5, 5, 0), (6, 5, 1)])
def test_unmatched_labels_are_reported_where_they_are_the_majority(labels: int, matched: int, found: int) -> None:
    assert len(UnmatchedLabels(labels=labels, one="7").findings(matched)) == found


def test_one_unmatched_label_is_shown_by_its_id() -> None:
    [finding] = UnmatchedLabels(labels=1, one="7.0").findings(0)
    assert (finding.kind, finding.message) == (
        "unknown predictions",
        "1 label is of no known prediction; its id is '7.0'.",
    )


@pytest.mark.parametrize(
    ("horizon_us", "words"),
    [
        (86_400_000_000, "1 day"),
        (36 * 3_600_000_000, "36 hours"),
        (90_000_000, "90 seconds"),
        (1_500_000, "1.5 seconds"),
    ],
)
def test_the_label_horizon_is_written_in_its_largest_whole_unit(horizon_us: int, words: str) -> None:
    [finding] = OverdueLabels(labels=1, horizon_us=horizon_us).findings()
    assert finding.kind == "labels too late"
    assert (
        finding.message == f"1 label arrived later than label_horizon ({words}) after its prediction, and is ignored."
    )


def test_without_such_labels_there_is_nothing_to_report() -> None:
    assert UnknownClassLabels().findings(("a", "b")) == OverdueLabels(horizon_us=5).findings() == ()
