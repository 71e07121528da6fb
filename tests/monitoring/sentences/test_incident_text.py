from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitoring.records import FactCause, Finding, IncidentRecord, NextStep
from monitoring.sentences.incident_text import cause_line, incident_text
from tests.incident_words import worded

START = datetime(2013, 10, 9, tzinfo=UTC)


def incident(watch: str, part: str, cause: str, message: str = "It rose.") -> IncidentRecord:
    return IncidentRecord(
        number=1,
        level="page",
        state="open",
        opened_at=START,
        window_start=START,
        window_end=START,
        watch=watch,
        slice=part,
        diagnoses=worded(cause, message, watch=watch, slice_=part),
    )


@pytest.mark.parametrize(
    ("watch", "part", "cause", "line"),
    [
        (
            "brier",
            "",
            "the model is overconfident (surprise +0.1)",
            "Brier score: the model is overconfident (surprise +0.1)",
        ),
        (
            "surprise_error",
            "",
            "Error rate 37 \N{RIGHTWARDS ARROW} 55 % since 9 October 2013 (1,050 rows): the model is overconfident",
            "Error rate 37 \N{RIGHTWARDS ARROW} 55 % since 9 October 2013 (1,050 rows): the model is overconfident",
        ),
        ("error", "origin=EWR", "the traffic is harder", "Error rate at origin = EWR: the traffic is harder"),
        (
            "missing:z",
            "",
            "missing values of z rose from 0.0 % to 19.0 %",
            "Missing values of z rose from 0.0 % to 19.0 %",
        ),
        ("embedding", "", "embedding drift rose from 0.500 to 0.800", "Embedding drift rose from 0.500 to 0.800"),
        ("schema", "speed, temp", "column gone", "Column gone: speed, temp"),
        ("schema", "label arrivals", "labels stopped", "Labels stopped"),
        ("schema", "labels", "labels too late", "Labels too late"),
        ("subgroup", "hour ≥ 18", "the model got worse where hour ≥ 18", "The model got worse where hour ≥ 18"),
        ("brier", "origin=EWR", "", "Brier score at origin = EWR"),
        ("brier", "", "odd\x1b[31m.", "Brier score: odd\ufffd[31m"),
    ],
)
def test_an_incident_is_one_line_that_names_its_watch_once(watch: str, part: str, cause: str, line: str) -> None:
    assert cause_line(incident(watch, part, cause)) == line


def test_a_loss_far_outside_is_in_the_users_metric() -> None:
    told = "Error rate 47 % in this window (400 labelled rows); the baseline's 90 windows lie between 15 % and 30 %."
    line = cause_line(incident("schema", "losses", "losses far outside the baseline", told))
    assert line == "Error rate 47 % in this window (400 labelled rows): losses far outside the baseline"


def test_the_first_sentence_of_a_fact_is_its_line_and_is_said_once() -> None:
    told = "The category `21` of school was renamed to `BA`: 18 % of rows. 20 % of 300 values are new."
    found = Finding(kind="values renamed", feature="school", message=told, fact=True)
    cause = FactCause(fact=found.kind, findings=(found,), closes_after=3, step=NextStep(kind="look at its rows"))
    opened = incident("schema", "school", "values renamed")
    text = incident_text(replace(opened, diagnoses=(replace(opened.diagnoses[0], cause=cause),)))
    line = "Values renamed: the category `21` of school was renamed to `BA`: 18 % of rows"
    assert text.line == line
    assert text.message.startswith(f"{line}. 20 % of 300 values are new. Next step: ")
    several = replace(cause, findings=(found, replace(found, feature="job")))
    two = replace(opened, slice="job, school", diagnoses=(replace(opened.diagnoses[0], cause=several),))
    assert cause_line(two) == "Values renamed: job, school"
