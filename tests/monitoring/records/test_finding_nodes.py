"""Findings as plain data: what was written is what is read, in windows and in incidents, of stores of before too."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.records import Diagnosis, FactCause, Finding, NextStep
from monitoring.records.finding_nodes import finding_node, finding_of
from monitoring.records.finding_parts import FindingParts
from monitoring.sentences.finding_text import finding_text
from monitoring.store.column_types import diagnoses_of, diagnoses_text

FORMS = get_args(FindingParts)


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_parts_that_were_written_are_read(form: type[FindingParts], data: st.DataObject) -> None:
    parts = data.draw(st.from_type(form).filter(lambda each: "nan" not in repr(each) and "inf" not in repr(each)))
    finding = Finding(kind="out of range", feature="temp", fact=True, parts=parts)
    assert finding_of(json.loads(json.dumps(finding_node(finding)))) == finding
    cause = FactCause(fact="out of range", findings=(finding,), closes_after=3, step=NextStep(kind="check the source"))
    diagnoses = (Diagnosis(at=datetime(2013, 4, 1, tzinfo=UTC), cause=cause),)
    assert diagnoses_of(diagnoses_text(diagnoses)) == diagnoses


def test_each_form_has_a_name_of_its_own() -> None:
    names = [form.__dataclass_fields__["about"].default for form in FORMS]
    assert len({*names}) == len(FORMS)


def test_findings_of_earlier_stores_say_what_they_said() -> None:
    node = {"kind": "values missing", "feature": "temp", "message": "26 % of temp are missing.", "fact": True}
    finding = finding_of(node)
    assert (finding_text(finding), finding.fact, finding_node(finding)) == ("26 % of temp are missing.", True, node)
