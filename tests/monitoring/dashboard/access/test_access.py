from __future__ import annotations

import pytest

from monitoring.dashboard.access.access import Access, host_names
from monitoring.dashboard.access.tokens import Token, digest_of
from tests.dashboard_access import access_with

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


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, True),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, True),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, False),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, False),
        ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, False),
        ({}, False),
    ],
)
def test_another_site_may_link_to_a_page_and_not_ask_for_it_itself(headers: dict[str, str], refused: bool) -> None:
    for method in ("GET", "HEAD"):
        assert (HERE.refusal(method, {**HOST, **headers}) == "site") == refused


def test_a_page_that_a_browser_asks_for_ahead_of_a_click_is_refused() -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert HERE.refusal("GET", {**HOST, **link, "sec-purpose": "prefetch;prerender"}) == "site"


def test_a_token_is_known_by_header_and_by_its_session() -> None:
    access = access_with({"secret": "act", "reader": "read"})
    assert access.role({"authorization": "Bearer secret"}, "") == "act"
    assert access.role({}, access.sessions.begin(digest_of("secret"))) == "act"
    assert access.role({"authorization": "Bearer reader"}, "") == "read"
    cookie = access.sessions.begin(digest_of("reader"))
    assert access.role({}, cookie) == "read"
    assert access.role({"authorization": "Bearer wrong"}, cookie) is None
    assert access.role({"authorization": "Basic secret"}, "secret") is None
    assert access.role({}, "") is None
    access.sessions.end(cookie)
    assert access.role({}, cookie) is None


def test_a_session_ends_with_its_token() -> None:
    tokens = [Token.of("secret"), Token.of("other")]
    access = Access(names=frozenset({"monitor.example"}), tokens=lambda: tuple(tokens))
    cookie = access.sessions.begin(digest_of("secret"))
    assert access.role({}, cookie) == "act"
    del tokens[0]
    assert access.role({}, cookie) is None


def test_without_a_token_everybody_on_the_machine_may_act() -> None:
    assert HERE.role({}, "") == "act"
