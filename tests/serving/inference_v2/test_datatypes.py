"""The protocol's names of element types."""

from __future__ import annotations

import pytest

from serving.inference_v2.datatypes import ELEMENTS, datatype_of


@pytest.mark.parametrize(("datatype", "element"), ELEMENTS.items())
def test_datatypes_have_one_name(datatype: str, element: str) -> None:
    assert datatype_of(element) == datatype
