"""Labels as the API takes them, as the label log has them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from monitoring.dashboard.api.change_documents import LabelRequest


def text_of(label: Any) -> str:
    document = {"prediction_id": "a:0", "label": label, "label_time": "2013-04-01T09:00:00+02:00"}
    return LabelRequest.model_validate(document).text


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("late", "late"),
        (3, "3"),
        (1.0, "1"),
        (0.25, "0.25"),
        (["a", "ü"], '["a","ü"]'),
        ([0, 1], "[0,1]"),
        ([], "[]"),
        ({"a": "x", "b": 2.0}, '{"a":"x","b":"2"}'),
    ],
)
def test_a_label_is_text_a_number_or_several_names(label: Any, text: str) -> None:
    assert text_of(label) == text


@pytest.mark.parametrize("label", ["", True, None, {}, [2], ["a", 1], float("nan"), "x" * 2_000, {"a": "x" * 1_020}])
def test_anything_else_is_refused(label: Any) -> None:
    with pytest.raises(ValidationError):
        text_of(label)
