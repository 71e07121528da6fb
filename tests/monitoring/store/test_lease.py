from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitoring.store import Lease

NOW = datetime(2013, 4, 2, 6, tzinfo=UTC)


class Calls:
    """What a lease asked of the store, in order."""

    def __init__(self) -> None:
        self.made: list[object] = []

    def lease(self) -> Lease:
        return Lease(owner="one", renewal=self.made.append, ending=lambda: self.made.append("end"))


def test_a_lease_passes_renewals_and_its_end_on() -> None:
    calls = Calls()
    lease = calls.lease()
    lease.renew(NOW)
    lease.release()
    assert (lease.owner, calls.made) == ("one", [NOW, "end"])


def test_a_lease_ends_with_its_block_even_if_that_fails() -> None:
    calls = Calls()
    with pytest.raises(ZeroDivisionError), calls.lease():
        raise ZeroDivisionError
    assert calls.made == ["end"]
