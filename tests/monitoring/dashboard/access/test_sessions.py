from __future__ import annotations

import pytest

from monitoring.dashboard.access import sessions
from monitoring.dashboard.access.sessions import SESSION_SECONDS, Sessions


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
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 2)
    kept = Sessions()
    cookies = [kept.begin(b"token") for _ in range(3)]
    assert [kept.token_of(cookie) for cookie in cookies] == [None, b"token", b"token"]
