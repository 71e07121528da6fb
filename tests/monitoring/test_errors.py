"""What an error shows of what was got is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import LONGEST, BadInput


@given(st.text(max_size=3 * LONGEST))
def test_a_long_quotation_keeps_its_beginning_and_its_end(got: str) -> None:
    error = BadInput("Something is wrong.", got=got, expected="something else", fix="Mend it.")
    assert len(error.got) <= LONGEST + 3
    assert error.got[: LONGEST // 2] == got[: LONGEST // 2]
    assert error.got[-LONGEST // 2 :] == got[-LONGEST // 2 :]
    assert f"Got {error.got}; expected something else. Mend it." in str(error)


@pytest.mark.parametrize("length", [0, LONGEST])
def test_a_short_one_is_as_it_was(length: int) -> None:
    assert BadInput("Wrong.", got="x" * length, expected="y", fix="Mend it.").got == "x" * length
