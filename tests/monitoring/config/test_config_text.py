"""Settings and sections take the place of others, and everything else of a config stays."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.config.config_text import section_of, with_section, with_settings
from monitoring.config.template import render_config
from monitoring.errors import BadInput

DRAFT = render_config({"model": {"bundle": "models/m"}, "traffic": {"path": "traffic"}})


def test_a_setting_takes_the_place_of_its_line_and_comments_stay() -> None:
    changed = with_settings(DRAFT, {"windows": {"min_rows": 50, "label_horizon": "14d"}, "tolerance": {"brier": 0.03}})
    found, before = tomllib.loads(changed), tomllib.loads(DRAFT)
    assert found == {
        **before,
        "windows": {**before["windows"], "min_rows": 50, "label_horizon": "14d"},
        "tolerance": {**before["tolerance"], "brier": 0.03},
    }
    assert [line for line in DRAFT.splitlines() if line.startswith("#")] == [
        line for line in changed.splitlines() if line.startswith("#")
    ]


def test_new_sections_and_lists_of_sections_are_added() -> None:
    routes = [{"webhook": "https://x.example/a"}, {"webhook": "https://x.example/b", "level": "notice"}]
    events = [{"name": "sale", "dates": [date(2025, 11, 28)]}]
    said = {"notify": routes, "deployment": {"name": "eu"}, "expected": events}
    found = tomllib.loads(with_settings(DRAFT, said))
    assert (found["notify"], found["deployment"], found["expected"]) == (routes, {"name": "eu"}, events)


def test_nothing_said_changes_nothing() -> None:
    assert with_settings(DRAFT, {}) == DRAFT


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (True, True),
        ('a "quoted" text\n', 'a "quoted" text\n'),
        (Path("a/b"), "a/b"),
        (1e-3, 1e-3),
        (datetime(2024, 1, 5, tzinfo=UTC), datetime(2024, 1, 5, tzinfo=UTC)),
        ([[0.0, 1.0], (10.0, 0.0)], [[0.0, 1.0], [10.0, 0.0]]),
        ({"a b": 1}, {"a b": 1}),
    ],
)
def test_values_are_read_back_as_they_were_given(value: Any, read: Any) -> None:
    assert tomllib.loads(with_settings("", {"s": {"k": value}}))["s"] == {"k": read}


@pytest.mark.parametrize("settings", [{"windows": {"every": None}}, {"min_rows": 50}, {"notify": ["a"]}])
def test_what_toml_cannot_say_is_bad_input(settings: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        with_settings(DRAFT, settings)


@given(st.dictionaries(st.sampled_from(["lateness", "min_rows", "x-y"]), st.text(max_size=9) | st.integers(0, 9)))
def test_any_texts_and_numbers_are_read_back(said: dict[str, Any]) -> None:
    found = tomllib.loads(with_settings(DRAFT, {"windows": said}))["windows"]
    assert {key: found[key] for key in said} == said


BEFORE = """\
[model]
bundle = "m"  # by hand

# Where it lies.
[traffic]
path = '''
[baseline]
'''
"""
SECTION = '[baseline]\npath = "b"\n'


def test_a_section_is_added_and_removed_again() -> None:
    added = with_section(BEFORE, "baseline", SECTION)
    assert added == f"{BEFORE}\n{SECTION}"
    assert section_of(added, "baseline") == SECTION
    assert with_section(added, "baseline", "") == BEFORE


def test_a_section_in_the_middle_is_replaced_with_its_comments_alone() -> None:
    text = "[model]\na = 1\n\n[baseline] # old\n# why\npath = 'x'\n\n# Names.\n[deployment]\nname = 'n'\n"
    assert section_of(text, "baseline") == "[baseline] # old\n# why\npath = 'x'\n"
    assert with_section(text, "baseline", SECTION) == (
        "[model]\na = 1\n\n" + SECTION + "\n# Names.\n[deployment]\nname = 'n'\n"
    )
    assert with_section(text, "baseline", "") == "[model]\na = 1\n\n# Names.\n[deployment]\nname = 'n'\n"


def test_the_first_section_is_removed_and_the_comment_after_it_stays() -> None:
    assert with_section("[baseline]\na = 1\n\n# c\n[b]\nx = 1\n", "baseline", "") == "\n# c\n[b]\nx = 1\n"


@pytest.mark.parametrize("text", ['baseline.path = "b"\n[model]\na = 1\n', 'baseline = {path = "b"}\n', "[model\n"])
def test_a_section_in_another_form_is_left_to_its_writer(text: str) -> None:
    with pytest.raises(BadInput, match="cannot be replaced"):
        with_section(text, "baseline", SECTION)
