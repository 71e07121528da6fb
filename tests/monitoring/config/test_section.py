from __future__ import annotations

import pytest
from pydantic import ValidationError

from monitoring.config.section import Name, Names, Section


class Example(Section):
    name: Name
    names: Names = ()


def test_a_section_refuses_what_it_does_not_know_and_other_types() -> None:
    assert Example.model_validate({"name": "a", "names": ["b"]}).names == ("b",)
    for values in ({"name": "a", "more": 1}, {"name": 1}, {"name": " "}, {"name": "a", "names": ["b", "b"]}):
        with pytest.raises(ValidationError):
            Example.model_validate(values)


def test_a_section_cannot_be_changed() -> None:
    section = Example(name="a")
    with pytest.raises(ValidationError):
        section.name = "b"
