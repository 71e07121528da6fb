from __future__ import annotations

import time

import pytest

from monitoring.dashboard.access.access import cookie_of


@pytest.mark.parametrize(
    ("header", "value"),
    [("", ""), ("a=1", "1"), ("b=2; a=1 ;c", "1"), ("aa=1", ""), ("a", ""), ('a="x; y"', '"x'), ("a=1; a=2", "1")],
)
def test_a_cookie_is_found_by_its_name(header: str, value: str) -> None:
    assert cookie_of({"cookie": header}, "a") == value


def test_a_long_quoted_value_costs_no_more_than_its_length() -> None:
    begin = time.process_time()
    assert cookie_of({"cookie": 'a="' + "\\" * 60_000 + '"; b=1'}, "b") == "1"
    assert time.process_time() - begin < 0.1
