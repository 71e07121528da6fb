from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.records import CauseDetail, Condition, InputDrift, LossSplit, Subgroup
from monitoring.store.column_types import detail_of, detail_text
from tests.monitoring.store.test_store import details


@given(details)
def test_a_detail_comes_back_the_same(detail: CauseDetail) -> None:
    assert detail_of(detail_text(detail)) == detail


def test_a_subgroup_comes_back_the_same() -> None:
    conditions = (Condition(input="hour", sign="≥", value=18.0), Condition(input="shop", sign="=", value="north"))
    subgroup = Subgroup(
        conditions=conditions, rows=120, rise=0.4, others=-0.01, error=0.1, p_value=1e-9, watch="surprise_error"
    )
    detail = CauseDetail(subgroup=subgroup)
    assert detail_of(detail_text(detail)) == detail


def test_an_empty_detail_is_no_text() -> None:
    assert detail_text(CauseDetail()) is None
    assert detail_of(None) == CauseDetail()


def test_the_keys_of_a_split_are_those_of_stores_of_earlier_versions() -> None:
    text = detail_text(CauseDetail(split=LossSplit(metric="brier", difficulty=-0.25, surprise=0.5)))
    assert text is not None
    assert json.loads(text) == {
        "split": {"metric": "brier", "difficulty": -0.25, "surprise": 0.5},
        "parts": [],
        "inputs": [],
        "rows": [],
        "subgroup": None,
        "relation": None,
    }
    without = {name: value for name, value in json.loads(text).items() if name not in ("subgroup", "relation")}
    assert detail_of(json.dumps(without)) == detail_of(text)


@given(st.sampled_from([math.nan, math.inf, -math.inf]))
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        detail_text(CauseDetail(inputs=(InputDrift(input="x", log_evidence=number),)))
