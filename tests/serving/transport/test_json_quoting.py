"""Quoted strings and values."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from serving.transport.json_quoting import quote


@given(
    value=st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_quoted_value_is_its_json_cut_short(value: Any) -> None:
    whole = quote(value, 1 << 20)
    assert json.loads(whole) == value
    assert quote(value, 10) == whole[:10]
