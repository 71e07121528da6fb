"""Names that a server answers to, and pages that may send requests."""

from __future__ import annotations

import pytest

from serving.access.origins import OriginPolicy, known_names

LOCAL = OriginPolicy(names=known_names("127.0.0.1", ("Models.example",)))


@pytest.mark.parametrize(
    "host", [b"localhost:8501", b"LOCALHOST", b"127.0.0.1", b"[::1]:8501", b"10.0.0.7:80", b"models.example:80"]
)
def test_known_names_and_addresses_are_answered(host: bytes) -> None:
    assert LOCAL.refusal(host, b"", b"") is None


@pytest.mark.parametrize("host", [b"rebound.example", b"localhost.example", b"127.0.0.1.example", b"", b"[x", b"\xff"])
def test_other_names_are_refused(host: bytes) -> None:
    assert "--allowed-host" in (LOCAL.refusal(host, b"", b"") or "")


def test_a_server_on_the_network_answers_to_any_name_unless_some_are_allowed() -> None:
    assert known_names("192.0.2.1", ()) is None
    assert set(known_names("192.0.2.1", ("a",)) or ()) == {"a"}
    for address in ("::1", "localhost"):
        assert set(known_names(address, ()) or ()) == {"localhost"}


def test_pages_of_another_origin_are_refused_unless_cors_is_on() -> None:
    host = b"localhost:8501"
    for origin, site in (
        (b"https://a.example", b""),
        (b"http://localhost:3000", b"same-site"),
        (b"null", b""),
        (b"", b"cross-site"),
    ):
        assert "another origin" in (LOCAL.refusal(host, origin, site) or "")
        assert OriginPolicy(takes_foreign_pages=True).refusal(host, origin, site) is None
    assert LOCAL.refusal(host, b"http://localhost:8501", b"same-origin") is None
    assert LOCAL.refusal(host, b"", b"none") is None
