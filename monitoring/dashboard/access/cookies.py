"""Cookies of a request, read by their names alone: those of the dashboard are never quoted."""

from __future__ import annotations

from collections.abc import Mapping


def cookie_of(headers: Mapping[str, str], name: str) -> str:
    """The value of a cookie.

    The standard library's parser takes quoted values in a time that grows with the square of their length.

    >>> cookie_of({"cookie": "a=1; b=2"}, "b")
    '2'
    """
    for part in headers.get("cookie", "").split(";"):
        called, _, value = part.partition("=")
        if called.strip() == name:
            return value.strip()
    return ""
