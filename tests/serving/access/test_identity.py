"""Who sends a request: addresses and certificates, as connections have them."""

from __future__ import annotations

from typing import Any

import pytest

from serving.access.identity import PRINCIPAL_CHARACTERS, identity_of

COMMON = {
    "subject": ((("countryName", "DE"),), (("commonName", "shop"),)),
    "subjectAltName": (("DNS", "shop.example"),),
}


@pytest.mark.parametrize(
    ("certificate", "principal"),
    [
        (None, ""),
        ({}, ""),
        (COMMON, "shop"),
        ({"subject": (), "subjectAltName": (("DNS", "a.example"), ("DNS", "b.example"))}, "a.example"),
        ({"subject": ((("commonName", "x" * 1000),),)}, "x" * PRINCIPAL_CHARACTERS),
    ],
    ids=["none", "not checked", "common name", "alternative name", "long"],
)
def test_a_certificate_names_its_holder(certificate: dict[str, Any] | None, principal: str) -> None:
    assert identity_of("10.0.0.7", certificate) == (principal, "10.0.0.7")


@pytest.mark.parametrize(("address", "peer"), [("::1", "::1"), ("::ffff:10.0.0.7", "10.0.0.7"), ("", "")])
def test_an_address_is_the_same_on_either_kind_of_socket(address: str, peer: str) -> None:
    assert identity_of(address, None).peer == peer
