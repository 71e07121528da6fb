"""Requests that name no server, two, or another one, and those of foreign pages."""

from __future__ import annotations

import pytest

from serving.access.origins import OriginPolicy
from serving.transport.request_source import source_refusal

ANY = OriginPolicy()
HOST = (b"host", b"localhost")


@pytest.mark.parametrize(
    ("headers", "version", "status"),
    [
        ([HOST], "1.1", None),
        ([], "1.1", 400),
        ([HOST, HOST], "1.1", 400),
        ([], "1.0", None),
        ([(b"transfer-encoding", b"chunked")], "1.0", 400),
        ([HOST, (b"transfer-encoding", b"chunked")], "1.1", None),
        ([HOST, (b"origin", b"https://a.example")], "1.1", 403),
        ([HOST, (b"sec-fetch-site", b"cross-site")], "1.1", 403),
        ([(b"host", b"a.example")], "1.1", None),
    ],
)
def test_a_request_is_refused_for_where_it_comes_from(
    headers: list[tuple[bytes, bytes]], version: str, status: int | None
) -> None:
    refusal = source_refusal(headers, version, ANY)
    assert (None if refusal is None else refusal.status) == status


def test_another_servers_name_is_refused() -> None:
    refusal = source_refusal([(b"host", b"a.example")], "1.1", OriginPolicy(names=frozenset({"localhost"})))
    assert refusal is not None
    assert (refusal.status, b"a.example" in refusal.body) == (403, True)
