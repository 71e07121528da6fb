from __future__ import annotations

import re

import pytest
from starlette.requests import Request

from monitoring.dashboard.view.requests import NumberConvertor, incident_of, place_of, windows_of, zone_of


def request(query: str, **path: object) -> Request:
    scope = {"type": "http", "query_string": query.encode(), "path_params": path, "headers": []}
    return Request(scope)


@pytest.mark.parametrize(("query", "windows"), [("", 90), ("windows=365", 365), ("windows=12", 90)])
def test_a_page_has_one_of_the_lengths_that_are_offered(query: str, windows: int) -> None:
    assert windows_of(request(query)) == windows


@pytest.mark.parametrize(
    ("query", "number"), [("", None), ("incident=7", 7), ("incident=x", None), ("incident=1e9", None)]
)
def test_an_incident_is_a_number(query: str, number: int | None) -> None:
    assert incident_of(request(query)) == number


@pytest.mark.parametrize(
    ("cookie", "zone"),
    [
        ("pitfalls_zone=Asia%2FTokyo", "Asia/Tokyo"),
        ("", ""),
        ("pitfalls_zone=Asia", ""),
        ("pitfalls_zone=..%2F..%2Fetc%2Fpasswd", ""),
        ("pitfalls_zone=%2Fetc%2Fpasswd", ""),
        ("pitfalls_zone=%00", ""),
        ("pitfalls_zone=Mars/Olympus", ""),
    ],
)
def test_the_readers_time_zone_is_one_that_there_is(cookie: str, zone: str) -> None:
    asking = Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})
    assert zone_of(asking) == zone


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("0007", 7), ("9999999999", 2**31 - 1)])
def test_a_number_beyond_those_of_a_store_is_no_error(text: str, number: int) -> None:
    convertor = NumberConvertor()
    assert convertor.convert(text) == number
    assert convertor.to_string(number) == str(number)
    assert place_of(request("", store="shop", number=number)) == ("shop", number)


@pytest.mark.parametrize("text", ["1" * 11, "9" * 5_000, "-1", "1.0", "", "x", "\u0661"])
def test_what_is_no_number_of_one_is_no_address(text: str) -> None:
    assert re.fullmatch(NumberConvertor.regex, text) is None
