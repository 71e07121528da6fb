"""What is kept of who asks, and what is redacted."""

from __future__ import annotations

import pytest

from monitoring.traffic.log.redaction import Redaction
from serving.access.identity import NOBODY, Identity
from serving.capture.logged_callers import LoggedCallers

SHOP = Identity("shop", "10.0.0.7")
KEY = b"0123456789abcdef"


@pytest.mark.parametrize("principal", [True, False])
@pytest.mark.parametrize("peer", [True, False])
def test_principal_and_peer_are_kept_or_left_out(*, principal: bool, peer: bool) -> None:
    callers = LoggedCallers(principal=principal, peer=peer)
    assert callers.columns([SHOP, NOBODY]) == (["shop", ""] if principal else [], ["10.0.0.7", ""] if peer else [])
    assert callers.columns([SHOP] * 2) == (["shop"] * 2 if principal else [], ["10.0.0.7"] * 2 if peer else [])
    assert callers.columns([NOBODY] * 2) == ([], [])
    assert callers.columns([Identity("", "a"), Identity("", "b")]) == ([], ["a", "b"] if peer else [])


def test_they_are_redacted_as_columns_are() -> None:
    dropped = LoggedCallers(redaction=Redaction(dropped=frozenset({"caller_peer"})))
    assert dropped.columns([SHOP]) == (["shop"], [])
    callers = LoggedCallers(redaction=Redaction(hashed=frozenset({"caller_peer"}), key=KEY))
    principals, peers = callers.columns([SHOP, NOBODY, SHOP])
    assert (principals, peers[1], peers[0]) == (["shop", "", "shop"], "", peers[2])
    assert len(peers[0]) == 32
    assert peers[0] != "10.0.0.7"
