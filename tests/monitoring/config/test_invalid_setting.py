from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from monitoring.config.invalid_setting import INVALID_SETTING, reject_setting, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (200, "200"),
        ("a\nb", '"a\\nb"'),
        ({"a": 1}, "a table"),
        (["a", 1], '["a", 1]'),
        (date(2013, 4, 1), "2013-04-01"),
    ],
)
def test_a_value_is_shown_as_it_stands_in_the_file(value: object, text: str) -> None:
    assert shown(value) == text


@given(st.text())
def test_a_shown_value_is_one_short_line(text: str) -> None:
    found = shown(text)
    assert len(found) <= 60
    assert "\n" not in found
    assert found.endswith("…") or json.loads(found) == text


def test_the_parts_of_an_error_are_kept_for_the_message() -> None:
    with pytest.raises(PydanticCustomError) as caught:
        reject_setting("must be positive.", got=0, expected="more", fix="Write 1.")
    error = caught.value
    assert error.type == INVALID_SETTING
    assert error.context == {"what": "must be positive.", "got": "0", "expected": "more", "fix": "Write 1."}
    assert error.message() == "must be positive."
