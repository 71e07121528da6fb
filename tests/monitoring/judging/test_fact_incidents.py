from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.incidents.cause import explain
from monitoring.judging.fact_incidents import advance_fact_incident, open_fact_incidents, tells, with_evidence
from monitoring.judging.facts.constant_values import CONSTANT_ANSWERS
from monitoring.judging.facts.gross_failures import CONTRADICTED
from monitoring.judging.facts.label_facts import LOST_CLASS
from monitoring.judging.facts.log_facts import IDS_SUBJECT, WITHOUT_PREDICTIONS
from monitoring.judging.facts.loss_outliers import OUTLIER
from monitoring.judging.facts.traffic_volume import KIND
from monitoring.judging.renamed_values import RARE_RENAMED, RENAMED
from monitoring.judging.rules.rule_check import RULE_BROKEN
from monitoring.judging.window.label_findings import UNKNOWN_LABELS
from monitoring.records import FACT_WATCH, LABELS_STOPPED, NO_ANSWERS, CauseDetail, Finding, IncidentRecord, InputDrift
from monitoring.sentences.incident_text import incident_text
from monitoring.traffic.windows import Window
from tests.monitoring.incidents.alarms import alarm, window, windows

START = datetime(2013, 4, 1, tzinfo=UTC)
KINDS = st.sampled_from(["column gone", "type changed", "all values missing"])
FINDINGS = st.lists(
    st.builds(
        Finding, kind=KINDS, feature=st.sampled_from(["temp", "wind", "rain"]), message=st.just("m"), fact=st.booleans()
    ),
    max_size=8,
)


def day(number: int) -> Window:
    return Window(start=START + timedelta(days=number), end=START + timedelta(days=number + 1))


def fact(feature: str, kind: str = "column gone") -> Finding:
    return Finding(kind=kind, feature=feature, message=f"{feature}: {kind}", fact=True)


def opened(*findings: Finding) -> IncidentRecord:
    [incident] = open_fact_incidents(findings, day(0), current=(), first_number=1)
    return incident


def test_a_single_fact_is_told_in_its_own_words() -> None:
    incident = opened(fact("temp"))
    assert (incident.level, incident.state, incident.watch, incident.slice) == ("page", "open", FACT_WATCH, "temp")
    assert incident_text(incident).cause == "column gone"
    assert incident_text(incident).message.startswith("temp: column gone ")
    assert "the page closes after 3 windows" in incident_text(incident).message
    assert (incident.window_start, incident.window_end, incident.opened_at) == (day(0).start, day(0).end, day(0).end)


@given(FINDINGS, st.integers(1, 50))
def test_each_kind_of_new_fact_opens_one_incident_with_every_input_of_it(findings: list[Finding], first: int) -> None:
    incidents = open_fact_incidents(findings, day(0), current=(), first_number=first)
    facts = [(one.kind, one.feature) for one in findings if one.fact]
    assert [one.number for one in incidents] == list(range(first, first + len({kind for kind, _ in facts})))
    named = {(incident_text(one).cause, name) for one in incidents for name in one.subjects}
    assert named == set(facts)


@given(FINDINGS)
def test_what_an_open_incident_names_opens_no_other(findings: list[Finding]) -> None:
    current = open_fact_incidents(findings, day(0), current=(), first_number=1)
    assert open_fact_incidents(findings, day(1), current=current, first_number=9) == ()


@pytest.mark.parametrize(
    ("kind", "cause", "subject"),
    [(NO_ANSWERS, "unusable answers", "model answers"), (LABELS_STOPPED, WITHOUT_PREDICTIONS, IDS_SUBJECT)],
)
def test_a_fact_that_follows_from_another_one_opens_no_incident(kind: str, cause: str, subject: str) -> None:
    follows, root = fact("some subject", kind), fact(subject, cause)
    assert [
        incident_text(one).cause for one in open_fact_incidents([follows, root], day(0), current=(), first_number=1)
    ] == [cause]
    assert open_fact_incidents([follows], day(1), current=[opened(root)], first_number=2) == ()
    last = replace(follows, fact=False)
    assert advance_fact_incident(opened(root), [last], day(1), enough_rows=True).state == "open"
    assert [incident_text(one).cause for one in open_fact_incidents([follows], day(1), current=(), first_number=1)] == [
        kind
    ]


def test_of_one_window_the_cause_comes_first_and_what_follows_names_it() -> None:
    findings = [
        fact("losses", OUTLIER),
        fact("model answers", CONSTANT_ANSWERS),
        fact("row count", KIND),
        fact("income", "out of range"),
    ]
    first, *others = open_fact_incidents(findings, day(0), current=(), first_number=4)
    assert [one.fact for one in (first, *others)] == ["out of range", KIND, CONSTANT_ANSWERS, OUTLIER]
    assert [one.consequence_of for one in (first, *others)] == [None, None, 4, 4]
    said = incident_text(others[1])
    assert said.line.startswith("Answers constant: ")
    assert said.line.endswith(", a likely consequence of #4 (out of range: income)")
    assert "It is a likely consequence of #4 (out of range: income)." in said.message
    assert said.step.startswith("check the pipeline that fills income;"), "not the model's export"
    assert incident_text(others[0]).line.startswith("Traffic volume")


def test_a_page_of_an_input_explains_a_later_fact_while_it_is_found_in_the_same_window() -> None:
    page, answers = opened(fact("income", "out of range")), fact("model answers", CONSTANT_ANSWERS)
    for found, root in (([answers], None), ([fact("income", "out of range"), answers], page.number)):
        [new] = open_fact_incidents(found, day(3), current=[page], first_number=2)
        assert new.consequence_of == root
    broken_rule = opened(fact("rule a", RULE_BROKEN))
    [new] = open_fact_incidents([fact("rule a", RULE_BROKEN), answers], day(1), current=[broken_rule], first_number=2)
    assert new.consequence_of is None, "a rule of the user's own says nothing of why"


def test_labels_of_unusable_answers_say_nothing_of_their_classes() -> None:
    unusable, lost = fact("model answers", "unusable answers"), fact("labels", LOST_CLASS)
    assert [one.fact for one in open_fact_incidents([lost, unusable], day(0), current=(), first_number=1)] == [
        "unusable answers"
    ]
    assert open_fact_incidents([lost], day(1), current=[opened(unusable)], first_number=2) == ()
    assert [one.fact for one in open_fact_incidents([lost], day(1), current=(), first_number=2)] == [LOST_CLASS]


def test_labels_of_no_class_come_before_the_class_that_is_lost_by_them() -> None:
    first, second = open_fact_incidents(
        [fact("labels", LOST_CLASS), fact("label values", UNKNOWN_LABELS)], day(0), current=(), first_number=1
    )
    assert (first.fact, second.fact, second.consequence_of) == (UNKNOWN_LABELS, LOST_CLASS, first.number)


def test_an_incident_of_a_watch_with_the_same_slice_is_no_fact() -> None:
    other = opened(fact("temp"))
    alarm = IncidentRecord(
        number=1,
        level="page",
        state="open",
        opened_at=other.opened_at,
        window_start=other.window_start,
        window_end=other.window_end,
        watch="error",
        slice="temp",
    )
    assert len(open_fact_incidents([fact("temp")], day(1), current=[alarm], first_number=2)) == 1


def test_three_windows_in_a_row_without_the_fact_close_it() -> None:
    incident, states = opened(fact("temp")), []
    for number, findings in enumerate([[fact("temp")], [], [fact("temp")], [], [], []], start=1):
        incident = advance_fact_incident(incident, findings, day(number), enough_rows=True)
        states.append(incident.state)
    assert states == ["open", "recovering", "open", "recovering", "recovering", "closed"]
    assert incident.closed_at == day(6).end


def test_a_window_of_too_few_rows_shows_that_a_fact_lasts_and_not_that_it_is_over() -> None:
    incident = advance_fact_incident(opened(fact("temp")), [], day(1), enough_rows=True)
    assert advance_fact_incident(incident, [], day(2), enough_rows=False) == incident
    assert advance_fact_incident(incident, [fact("temp")], day(2), enough_rows=False).state == "open"


@pytest.mark.parametrize("finding", [fact("wind"), Finding(kind="column gone", feature="temp", message="", fact=False)])
def test_facts_of_other_inputs_and_findings_that_are_no_facts_do_not_keep_it_open(finding: Finding) -> None:
    assert advance_fact_incident(opened(fact("temp")), [finding], day(1), enough_rows=True).state == "recovering"


def test_an_incident_of_several_inputs_lasts_while_one_of_them_is_gone() -> None:
    incident = opened(fact("temp"), fact("wind"))
    assert incident.subjects == ("temp", "wind")
    assert incident_text(incident).message.startswith("Column gone for 2 inputs: temp, wind.")
    assert advance_fact_incident(incident, [fact("wind")], day(1), enough_rows=True).state == "open"


@pytest.mark.parametrize(("onset", "told"), [(-1, False), (0, True), (7, True), (9, False)])
def test_losses_that_rose_with_a_gone_input_are_told_by_its_incident(onset: int, told: bool) -> None:
    [gone] = open_fact_incidents([fact("temp")], day(0), current=(), first_number=1)
    start = day(0).start + timedelta(days=onset)
    rise = alarm("brier", [replace(window(0, {"brier": 0.5}), start=start, end=start + timedelta(days=1))])
    assert tells(gone, rise, timedelta(days=7)) is told


@pytest.mark.parametrize(
    ("watch", "error", "told"), [("brier", 0.28, True), ("error", 0.4, False), ("joint", 0.28, False)]
)
def test_labels_of_no_class_tell_losses_that_rose_by_no_more_than_they_explain(
    watch: str, error: float, told: bool
) -> None:
    unknown = opened(fact("labels", UNKNOWN_LABELS))
    rise = alarm(watch, [window(0, {watch: 0.5, "error": error})])
    assert tells(unknown, rise, timedelta(days=7), of_no_class=0.1) is told
    assert not tells(unknown, rise, timedelta(days=7))


@pytest.mark.parametrize(
    ("kind", "subject", "watch", "told"),
    [
        ("column gone", "z", "missing:z", True),
        ("column gone", "z", "input:x:location", False),
        ("column gone", "z", "joint", True),
        ("column gone", "comment", "missing:comment.words", True),
        ("unusable answers", "model answers", "unusable_answers", True),
        (CONTRADICTED, "labels", "error", True),
        ("labels too late", "labels", "error", False),
        ("traffic volume", "row count", "error", False),
    ],
)
def test_a_fact_tells_the_watches_that_are_about_what_it_names(kind: str, subject: str, watch: str, told: bool) -> None:
    [gone] = open_fact_incidents([fact(subject, kind)], day(0), current=(), first_number=1)
    rise = alarm(watch, [replace(window(0, {watch: 0.5}), start=day(0).start, end=day(0).end)])
    assert tells(gone, rise, timedelta(days=7)) is told


@pytest.mark.parametrize(
    ("explained", "step"),
    [
        (0.91, "check temp and its unit, which explain most of the rise; then check the job that delivers labels"),
        (0.3, "check the job that delivers labels"),
    ],
)
def test_an_input_that_explains_most_of_a_rise_is_what_to_check_first(explained: float, step: str) -> None:
    contradicted = opened(fact("labels", CONTRADICTED))
    detail = CauseDetail(inputs=(InputDrift(input="temp", log_evidence=20.0, explained=explained),))
    cause = replace(explain(alarm("error", windows(error=[0.75]))), detail=detail)
    _, _, said = incident_text(with_evidence(contradicted, cause)).message.partition("Next step: ")
    assert said.startswith(step)


def test_a_page_of_renamed_values_lasts_while_they_are_found_in_however_few_rows() -> None:
    last = replace(fact("reg", RENAMED), fact=False)
    page = opened(fact("reg", RENAMED))
    assert advance_fact_incident(page, [last], day(1), enough_rows=True).state == "open"
    others = [replace(last, feature="other"), replace(last, kind="values missing")]
    assert advance_fact_incident(page, others, day(1), enough_rows=True).state == "recovering"


def test_rare_renamed_values_are_a_notice_which_keeps_no_page_of_their_input_away() -> None:
    notice = opened(fact("reg", RARE_RENAMED))
    assert (notice.level, incident_text(notice).cause) == ("notice", RARE_RENAMED)
    again = [fact("reg", RARE_RENAMED), fact("reg", "values missing")]
    [page] = open_fact_incidents(again, day(1), current=[notice], first_number=2)
    assert (page.level, incident_text(page).cause) == ("page", "values missing")
    assert open_fact_incidents([fact("reg", RARE_RENAMED)], day(1), current=[page], first_number=3) == ()
