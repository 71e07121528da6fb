from __future__ import annotations

from monitoring.notifications.routes.request import json_request, shortened


def test_a_request_does_not_show_its_secrets() -> None:
    request = json_request("https://h/secret", {"a": "é"}, {"authorization": "secret"})
    assert "secret" not in repr(request)
    assert request.body == b'{"a": "\\u00e9"}'


def test_a_text_at_its_limit_is_whole() -> None:
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"
