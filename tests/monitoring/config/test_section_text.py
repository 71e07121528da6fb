"""One section of a config's text, replaced."""

from __future__ import annotations

import pytest

from monitoring.config.section_text import section_of, with_section
from monitoring.errors import BadInput

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


@pytest.mark.parametrize("text", ['baseline.path = "b"\n[model]\na = 1\n', 'baseline = {path = "b"}\n', "[model\n"])
def test_a_section_in_another_form_is_left_to_its_writer(text: str) -> None:
    with pytest.raises(BadInput, match="cannot be replaced"):
        with_section(text, "baseline", SECTION)
