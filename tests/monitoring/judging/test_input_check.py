from __future__ import annotations

import pyarrow as pa
import pytest

from monitoring.baseline.profile import Profile
from monitoring.baseline.profile_builder import profile
from monitoring.judging.input_check import MAX_MISSING_SHARE, CheckResult, InputCheck, optional_inputs
from monitoring.records import Finding
from monitoring.sentences.finding_text import finding_text
from tests.monitoring.judging.small_judge import MIN_ROWS, rows_of_days, small_judge, with_feature

BINS = small_judge().baseline.bins


class RecordingSchema:
    """Allows what it is not told to find, and keeps what it was asked."""

    def __init__(self, *findings: Finding) -> None:
        self.asked: list[tuple[int, tuple[str, ...], str]] = []
        self._findings = findings

    def __call__(self, counts: Profile, absent: tuple[str, ...], previous: str) -> CheckResult:
        self.asked.append((counts.rows, absent, previous))
        return CheckResult(findings=self._findings, statistics="these")


def counts(rows: int, *, missing: bool = False) -> Profile:
    found = rows_of_days(60, 1, seed=1).take(pa.array(range(rows), pa.int64()).to_numpy())
    if missing:
        found = with_feature(found, "origin", pa.array([None] * rows, pa.string()))
    return profile(found, BINS)


def check(schema: RecordingSchema, optional: frozenset[str] = frozenset()) -> InputCheck:
    return InputCheck(BINS, schema, min_rows=MIN_ROWS, optional=optional)


def test_a_sound_window_is_left_to_the_schema() -> None:
    schema = RecordingSchema()
    assert check(schema).check(counts(40), (), "before") == CheckResult(statistics="these")
    assert schema.asked == [(40, (), "before")]


def test_a_window_without_rows_is_not_checked_and_hands_on_the_statistics_before_it() -> None:
    schema = RecordingSchema()
    assert check(schema).check(counts(0), (("temp", "absent"),), "before") == CheckResult(statistics="before")
    assert schema.asked == []


def test_absent_and_retyped_inputs_are_facts_and_are_left_out_of_the_schemas_check() -> None:
    schema = RecordingSchema()
    problems = (("temp", "absent"), ("origin", "type changed to double"))
    found = check(schema).check(counts(40), problems, "").findings
    assert [(one.kind, one.feature, one.fact) for one in found] == [
        ("column gone", "temp", True),
        ("type changed", "origin", True),
    ]
    assert "temp is absent" in finding_text(found[0])
    assert "type changed to double" in finding_text(found[1])
    assert schema.asked == [(40, ("temp", "origin"), "")]


@pytest.mark.parametrize(("rows", "found"), [(MIN_ROWS - 1, []), (MIN_ROWS, ["origin"])])
def test_an_input_missing_in_every_row_is_a_fact_where_there_are_rows_enough(rows: int, found: list[str]) -> None:
    findings = check(RecordingSchema()).check(counts(rows, missing=True), (), "").findings
    assert [one.feature for one in findings] == found
    assert all(one.fact and one.kind == "all values missing" for one in findings)
    assert all("origin" in finding_text(one) and f"all {rows} rows" in finding_text(one) for one in findings)


def test_an_optional_input_may_be_missing_in_every_row() -> None:
    assert check(RecordingSchema(), frozenset({"origin"})).check(counts(40, missing=True), (), "").findings == ()


def test_an_input_that_is_absent_is_not_missing_in_every_row_as_well() -> None:
    found = check(RecordingSchema()).check(counts(40, missing=True), (("origin", "absent"),), "").findings
    assert [one.kind for one in found] == ["column gone"]


def test_the_schemas_findings_come_last_and_none_twice() -> None:
    gone = Finding(kind="all values missing", feature="origin", message="by the schema")
    broken = Finding(kind="out of range", feature="temp", message="of a column that is absent")
    other = Finding(kind="unseen values", feature="origin", message="other")
    found = check(RecordingSchema(gone, broken, other)).check(counts(40, missing=True), (("temp", "absent"),), "")
    assert [(one.kind, one.feature) for one in found.findings] == [
        ("column gone", "temp"),
        ("all values missing", "origin"),
        ("unseen values", "origin"),
    ]


def test_inputs_missing_in_most_of_the_baselines_rows_are_optional() -> None:
    assert optional_inputs(BINS, {"temp": MAX_MISSING_SHARE, "origin": MAX_MISSING_SHARE + 0.01}) == {"origin"}
    assert optional_inputs(BINS, {}) == frozenset()


def test_what_describes_a_column_is_gone_with_it_and_told_once() -> None:
    sources = {"comment.words": "comment", "comment.length": "comment"}
    checked = InputCheck(BINS, RecordingSchema(), min_rows=MIN_ROWS, sources=sources)

    def found(*names: str) -> list[tuple[str, str]]:
        problems = tuple((name, "absent") for name in names)
        return [(one.feature, finding_text(one)) for one in checked.check(counts(40), problems, "").findings]

    assert found("temp", "comment.words", "comment.length") == [
        ("temp", "The input temp is absent from the traffic."),
        ("comment", "The input comment is absent from the traffic."),
    ]
    assert [feature for feature, _ in found("comment.words")] == ["comment.words"]
