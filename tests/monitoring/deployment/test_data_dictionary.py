"""The data dictionary is the record of what each column was taken for, and may not contradict its baseline."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.config import ColumnSection, MonitorConfig, settings_digest
from monitoring.config.loading import parse_config
from monitoring.deployment.data_dictionary import (
    MOST_COLUMNS,
    check_columns,
    column_notes,
    recorded_columns,
    with_words,
)
from monitoring.errors import BadInput
from monitoring.records import ColumnNote
from monitoring.traffic.column_roles import ColumnRole

ROLES = (
    ColumnRole(name="ts", role="event time"),
    ColumnRole(name="amount", role="input", kind="number"),
    ColumnRole(name="customer", role="left out", why="the group"),
    ColumnRole(name="user_id", role="left out", why="an id"),
    ColumnRole(name="answer", role="left out", why="the predicted class, as scores have it"),
    ColumnRole(name="", role="left out", why="no name"),
    ColumnRole(name="late", role="label"),
)
SAID = {
    "amount": ColumnSection(unit="EUR", description="what was asked for"),
    "late": ColumnSection(kind="category", description="paid late"),
}
SPEC = BaselineSpec(
    classes=("0", "1"),
    features=(FeatureSpec(name="amount", kind="number"), FeatureSpec(name="code", kind="category")),
    columns=(("ts", "timestamp"), ("amount", "double"), ("code", "string"), ("note", "string"), ("y", "int64")),
)


def config(columns: str, model: str = 'baseline = "b"') -> MonitorConfig:
    found = parse_config(f'[model]\n{model}\n[traffic]\npath = "t"\nlabel = "y"\n{columns}', Path("/srv"))
    assert isinstance(found, MonitorConfig), found
    return found


def test_the_record_has_inputs_with_their_kinds_and_what_is_none() -> None:
    assert recorded_columns(ROLES, SAID, group="customer", answer="answer") == {
        "amount": ColumnSection(kind="number", unit="EUR", description="what was asked for"),
        "customer": ColumnSection(role="group"),
        "user_id": ColumnSection(role="ignored"),
        "late": ColumnSection(description="paid late"),
    }


def test_the_record_of_a_very_wide_table_has_the_columns_that_are_named() -> None:
    wide = (*ROLES, *(ColumnRole(name=f"x{n}", role="input", kind="number") for n in range(MOST_COLUMNS)))
    assert set(recorded_columns(wide, SAID, group=None, answer=None)) == {"amount", "late"}


def test_words_stand_beside_the_roles() -> None:
    assert [(one.unit, one.description) for one in with_words(ROLES, SAID)][1:3] == [
        ("EUR", "what was asked for"),
        ("", ""),
    ]
    assert column_notes(None) == {}
    assert column_notes(config('[columns]\namount = { unit = "EUR" }\ncode = {}')) == {"amount": ColumnNote(unit="EUR")}


@pytest.mark.parametrize(
    "entry",
    [
        'amount = { kind = "number", role = "input", unit = "EUR" }',
        'note = { role = "ignored" }',
        'note = { description = "free" }',
        'y = { kind = "category", description = "the label" }',
    ],
)
def test_what_the_baseline_has_may_be_said(entry: str) -> None:
    check_columns(config(f"[columns]\n{entry}"), SPEC)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('amount = { kind = "category" }', 'amount: kind = "category", and it is a number'),
        ('amount = { role = "ignored" }', 'amount: role = "ignored", and it is an input'),
        ('note = { kind = "text" }', 'note: kind = "text", and it is no input'),
        ('amuont = { unit = "EUR" }', r"amuont: no such column \(did you mean amount\?\)"),
    ],
)
def test_a_contradiction_says_to_init_again(entry: str, message: str) -> None:
    with pytest.raises(BadInput, match=f"{message}.*monitor init --force --dictionary"):
        check_columns(config(f"[columns]\n{entry}"), SPEC)


def test_of_a_bundle_only_inputs_of_its_version_are_checked() -> None:
    bundle = BaselineSpec(classes=("0", "1"), features=SPEC.features)
    check_columns(config('[columns]\nolder = { kind = "number" }', 'bundle = "b"'), bundle)
    with pytest.raises(BadInput, match="code: kind"):
        check_columns(config('[columns]\ncode = { kind = "number" }', 'bundle = "b"'), bundle)


def test_the_section_changes_no_evidence() -> None:
    said = config('[columns]\namount = { kind = "number", unit = "EUR", description = "asked for" }')
    assert settings_digest(said) == settings_digest(config(""))
