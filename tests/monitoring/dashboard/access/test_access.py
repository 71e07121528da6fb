from __future__ import annotations

import asyncio
import time

import pytest

from monitoring.dashboard.access import access
from monitoring.dashboard.access.access import MOST_WAITING, SESSION_SECONDS, Access, Sessions, WrongTokens, host_names
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


def test_each_session_has_a_cookie_of_its_own_and_ends_by_itself() -> None:
    kept = Sessions()
    first, second = kept.begin(b"token"), kept.begin(b"token")
    assert first != second
    kept.end(first)
    assert (kept.token_of(first), kept.token_of(second)) == (None, b"token")
    assert kept.token_of("another") is None


def test_a_session_ends_with_its_time() -> None:
    now = [0.0]
    kept = Sessions(lambda: now[0])
    cookie = kept.begin(b"token")
    now[0] = SESSION_SECONDS - 1.0
    assert kept.token_of(cookie) == b"token"
    now[0] = SESSION_SECONDS
    assert kept.token_of(cookie) is None


def test_there_are_so_many_at_most_and_the_oldest_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MOST_SESSIONS", 2)
    kept = Sessions()
    cookies = [kept.begin(b"token") for _ in range(3)]
    assert [kept.token_of(cookie) for cookie in cookies] == [None, b"token", b"token"]


def test_wrong_tokens_are_answered_one_after_another_and_those_beyond_are_refused_at_once() -> None:
    lines = list[str]()
    wrong = WrongTokens(lines.append, delay_s=0.02)

    async def many() -> tuple[list[bool], float]:
        begin = time.monotonic()
        answers = await asyncio.gather(*(wrong.answered("192.0.2.7", "/sign-in\x1b") for _ in range(300)))
        return answers, time.monotonic() - begin

    answers, seconds = asyncio.run(many())
    assert (answers.count(True), wrong.count) == (MOST_WAITING, 300)
    assert seconds >= MOST_WAITING * 0.02
    assert len(lines) == MOST_WAITING
    assert lines[0].startswith("The dashboard got a wrong token from 192.0.2.7 for /sign-in")
    assert "\x1b" not in lines[0]
    assert asyncio.run(wrong.answered("192.0.2.7", "/"))
