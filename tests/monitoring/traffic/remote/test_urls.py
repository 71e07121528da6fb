"""What is a URL, and what a message may say of one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.traffic.remote.urls import is_url, shown_url


@pytest.mark.parametrize(("text", "is_one"), [("s3://bucket/a", True), ("/a/b", False), ("C:/a", False)])
def test_a_url_has_a_scheme(text: str, is_one: bool) -> None:
    assert is_url(text) is is_one


@pytest.mark.parametrize("secret", ["https://me:hush@host/a", "https://host/a?sig=hush", "https://hush@host/a?b=hush"])
def test_a_shown_url_keeps_no_secret(secret: str) -> None:
    assert "hush" not in shown_url(secret)
    assert "host/a" in shown_url(secret)


@given(
    secret=st.text("abcxyz0189@:!$", min_size=3).filter(lambda text: "hush" not in text),
    path=st.text("mnop/", max_size=8),
)
def test_no_part_of_a_password_or_query_is_shown(secret: str, path: str) -> None:
    url = f"s3://me:hush{secret}@bucket/{path}?token=hush{secret}"
    shown = shown_url(url)
    assert "hush" not in shown
    assert shown == f"s3://bucket/{path}?..."
