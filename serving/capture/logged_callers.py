"""What the traffic log keeps of who asks: principal, peer, both or neither, redacted as columns are."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from monitoring.traffic.format.rows import PEER, PRINCIPAL
from serving.access.identity import Identity

if TYPE_CHECKING:
    from monitoring.traffic.log.redaction import Redaction

_IDENTITIES_KEPT = 4096


@final
class LoggedCallers:
    """Makes the log's columns of callers.

    Args:
        redaction: May drop or hash `caller_principal` and `caller_peer`.
    """

    def __init__(self, *, principal: bool = True, peer: bool = True, redaction: Redaction | None = None) -> None:
        dropped = frozenset() if redaction is None else redaction.dropped
        self._principal = principal and PRINCIPAL not in dropped
        self._peer = peer and PEER not in dropped
        self._redaction = redaction if redaction is not None and redaction.hashed & {PRINCIPAL, PEER} else None
        self._as_logged: dict[Identity, Identity] = {}

    def columns(self, identities: list[Identity]) -> tuple[list[str], list[str]]:
        """The columns of rows.

        >>> LoggedCallers(peer=False).columns([Identity("shop", "10.0.0.7")])
        (['shop'], [])

        Args:
            identities: One for each row.

        Returns:
            Principals and peers; without any, no column.
        """
        if self._redaction is not None:
            identities = [self._hashed(one) for one in identities]
        count, first = len(identities), identities[0]
        if identities.count(first) == count:  # of one client, or of one proxy: a comparison a row
            principal, peer = first
            return (
                [principal] * count if principal and self._principal else [],
                [peer] * count if peer and self._peer else [],
            )
        principals = [one.principal for one in identities] if self._principal else []
        return principals if any(principals) else [], [one.peer for one in identities] if self._peer else []

    def _hashed(self, identity: Identity) -> Identity:
        found = self._as_logged.get(identity)
        if found is None and self._redaction is not None:
            if len(self._as_logged) >= _IDENTITIES_KEPT:
                self._as_logged.clear()
            pairs = zip((PRINCIPAL, PEER), identity, strict=True)
            found = self._as_logged[identity] = Identity(*(self._redaction.text(name, text) for name, text in pairs))
        return found or identity
