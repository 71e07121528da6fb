from __future__ import annotations

import pytest

from monitoring.dashboard.view.access import Access, cookie_of, host_names

HERE = Access(names=host_names("127.0.0.1"))
HOST = {"host": "localhost:8600"}


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        ("127.0.0.1:8600", False),
        ("localhost", False),
        ("[::1]:8600", False),
        ("LOCALHOST:1", False),
        ("rebound.example:8600", True),
        ("127.0.0.1.rebound.example", True),
        ("localhost:8600@rebound.example", True),
        ("", True),
    ],
)
def test_only_known_names_are_answered(host: str, refused: bool) -> None:
    assert (HERE.refusal("GET", {"host": host}) == "host") == refused


def test_beyond_loopback_only_given_names_are_known() -> None:
    assert host_names("0.0.0.0", ("Monitor.example",)) == {"0.0.0.0", "monitor.example"}  # noqa: S104 - a name
    assert "[fd00::1]" in host_names("fd00::1")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(method: str) -> None:
    assert HERE.refusal(method, HOST) == "method"


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://localhost:8600"}, True),
        ({"origin": "http://localhost:8600"}, False),
        ({"origin": "http://localhost:9000"}, True),
        ({"origin": "https://evil.example"}, True),
        ({"origin": "null"}, True),
        ({}, False),
    ],
)
def test_a_form_of_another_site_is_refused(headers: dict[str, str], refused: bool) -> None:
    assert (HERE.refusal("POST", {**HOST, **headers}) == "origin") == refused
    assert HERE.refusal("GET", {**HOST, **headers}) is None


def test_the_token_is_known_by_header_and_by_its_cookie() -> None:
    access = Access(names=frozenset({"monitor.example"}), token="secret", readers={"reader": "read"})
    assert access.role({"authorization": "Bearer secret"}, "") == "act"
    assert access.role({}, cookie_of("secret")) == "act"
    assert access.role({"authorization": "Bearer reader"}, "") == "read"
    assert access.role({}, cookie_of("reader")) == "read"
    assert access.role({"authorization": "Bearer wrong"}, "") is None
    assert access.role({"authorization": "Basic secret"}, "secret") is None
    assert access.role({}, "") is None
    assert access.role({}, cookie_of("other")) is None
    assert "secret" not in cookie_of("secret")


def test_without_a_token_everybody_on_the_machine_may_act() -> None:
    assert HERE.role({}, "") == "act"
    assert HERE.role_of("") is None
