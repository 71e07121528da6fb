from __future__ import annotations

import pytest

from benchmarks.truth.recovery import recovery_table


@pytest.mark.slow
def test_an_incident_closes_soon_after_its_harm_ends_and_hardly_before() -> None:
    rows = recovery_table(30, 1).rows
    for _, half, error, whole, gone, most in rows:
        assert float(str(half)) + 3.0 * float(str(error)) >= 365.0
        assert whole == 0.0
        assert float(str(gone)) <= float(str(most)) <= 90.0
    assert float(str(rows[-1][4])) <= 10.0
