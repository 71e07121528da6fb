from __future__ import annotations

import pytest

from benchmarks.truth.cusum import cusum_table


@pytest.mark.slow
def test_no_monitor_is_faster_than_a_cusum_that_knows_both_distributions() -> None:
    rows = cusum_table(200, 1).rows
    assert len(rows) == 16
    assert all(float(str(row[2])) > 100.0 for row in rows)
    for row in rows:
        ours, optima = zip(*(str(cell).split(" / ") for cell in row[3:8]), strict=True)
        # A year of 200 streams estimates a run length to a few percent, so the last window may go either way.
        assert all(
            one.startswith(">") or float(one) >= float(optimal) - 1.0 for one, optimal in zip(ours, optima, strict=True)
        )
    reached = {(row[0], row[1]): int(str(row[8]).split()[0]) for row in rows}
    assert reached["normal", 365] > reached["normal, AR(1) .7", 20]
