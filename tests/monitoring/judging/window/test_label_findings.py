from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.judging.window.label_findings import OverdueLabels, UnknownClassLabels, UnmatchedLabels
from monitoring.sentences.finding_text import finding_text

COUNTS = st.integers(0, 1000)
WORDS = st.frozensets(st.text(max_size=4), max_size=5)
UNKNOWN = st.builds(UnknownClassLabels, labels=COUNTS, words=WORDS)
UNMATCHED = st.builds(UnmatchedLabels, labels=COUNTS, first_id=st.text(max_size=4))


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
    [finding] = UnknownClassLabels(labels=1, words=frozenset({"later"})).findings(("on_time", "late"))
    assert (finding.kind, finding.fact) == ("unknown labels", False)
    assert (
        finding_text(finding)
        == "1 label is none of the classes on_time, late, so the model was wrong there; one is 'later'."
    )


def test_of_many_classes_ten_are_named_and_long_labels_are_cut() -> None:
    classes = tuple(f"c{number}" for number in range(11))
    [finding] = UnknownClassLabels(labels=1_234, words=frozenset({"x" * 500, "y"})).findings(classes)
    named = ", ".join(classes[:10])
    what = f"1,234 labels are none of the classes {named}, …, so the model was wrong there"
    assert finding_text(finding) == f"{what}; one is {'x' * 60!r}."


@pytest.mark.parametrize(
    ("labels", "labelled", "fact"), [(9, 9, False), (10, 500, True), (10, 501, False), (400, 1_000, True)]
)
def test_labels_of_no_class_page_where_they_are_neither_few_nor_rare(labels: int, labelled: int, fact: bool) -> None:
    unknown = UnknownClassLabels(labels=labels, words=frozenset({"horse"}))
    [finding] = unknown.findings(("cat", "cow"), labelled)
    assert (finding.fact, finding.feature) == (fact, "labels" if fact else "")


def test_labels_of_a_class_but_for_case_or_spaces_are_named_as_such() -> None:
    respelled = UnknownClassLabels(respelled=2, respelled_words=frozenset({"Cat"}))
    [finding] = (respelled + UnknownClassLabels(respelled=1, respelled_words=frozenset({"CAT"}))).findings(("cat",))
    assert (finding.kind, finding.fact) == ("respelled labels", False)
    assert finding_text(finding) == "3 labels are classes but for case or spaces, and count as such; one is 'CAT'."


def test_labels_that_are_no_numbers_are_ignored_and_told() -> None:
    [finding] = UnknownClassLabels(labels=30, words=frozenset({"dear"})).findings((), 100)
    assert (finding_text(finding), finding.fact) == ("30 labels are no numbers, and are ignored; one is 'dear'.", False)


@pytest.mark.parametrize(("labels", "matched", "found"), [(0, 0, 0), (1, 0, 1), (5, 5, 0), (6, 5, 1)])
def test_unmatched_labels_are_reported_where_they_are_the_majority(labels: int, matched: int, found: int) -> None:
    assert len(UnmatchedLabels(labels=labels, first_id="7").findings(matched)) == found


def test_one_unmatched_label_is_shown_by_the_form_of_its_id() -> None:
    [finding] = UnmatchedLabels(labels=1, first_id="7.0").findings(0)
    assert (finding.kind, finding_text(finding)) == (
        "unknown predictions",
        "1 label is of no known prediction; its id is of the form '9.9'.",
    )
    [finding] = UnmatchedLabels(labels=2, first_id="7.0").findings(0, lambda: "7")
    text = "2 labels are of no known prediction; the id of one is of the form '9.9', that of a prediction '9'."
    assert finding_text(finding) == text


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
        finding_text(finding)
        == f"1 label arrived later than label_horizon ({words}) after its prediction, and is ignored."
    )


def test_without_such_labels_there_is_nothing_to_report() -> None:
    assert UnknownClassLabels().findings(("a", "b")) == OverdueLabels(horizon_us=5).findings() == ()


OUTPUTS = {"sev": ("low", "high"), "cost": ()}


def test_a_label_of_none_of_several_outputs_says_what_is_expected() -> None:
    unknown = UnknownClassLabels(labels=252, words=frozenset({"10"}))
    [finding] = unknown.findings((), 300, outputs=OUTPUTS)
    assert finding.fact
    assert finding_text(finding) == (
        "252 labels are of none of the outputs, and are ignored; one is '10'. "
        'One like {"sev": low | high, "cost": a number} is expected.'
    )
    [one] = replace(unknown, labels=1).findings((), outputs=OUTPUTS)
    assert finding_text(one).startswith("1 label is of none of the outputs, and is ignored; it is '10'.")
    [one] = replace(unknown, labels=1).findings(())
    assert finding_text(one) == "1 label is no number, and is ignored: '10'."


def test_a_label_of_no_class_of_an_output_counts_there_and_is_not_called_ignored() -> None:
    label = '{"cost":"12.5","sev":"medium"}'
    unknown = UnknownClassLabels(labels=150, words=frozenset({"10", label}))
    [finding] = unknown.findings((), 300, outputs=OUTPUTS)
    assert finding_text(finding) == (
        f"150 labels name no class of an output, and count as wrong there; one is {label!r}. "
        'One like {"sev": low | high, "cost": a number} is expected.'
    )
    [one] = replace(unknown, labels=1).findings((), outputs=OUTPUTS)
    assert finding_text(one).startswith("1 label names no class of an output, and counts as wrong there; it is")
