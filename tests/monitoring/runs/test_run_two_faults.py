"""Two faults at once: each page lasts as long as its own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tests.own_table import own_rows, watch
from tests.small_deployment import LIVE, Days


def test_a_page_of_missing_values_closes_with_them_where_the_losses_were_high_before(tmp_path: Path) -> None:
    rows = own_rows(Days(days=24, broken_from=5))  # from the sixth day on the labels are not what the answers say
    day = pc.floor(pc.divide(pc.cast(pc.subtract(rows["ts"], pa.scalar(LIVE, rows["ts"].type)), pa.int64()), 86_400e6))
    is_gone = pc.and_(pc.greater_equal(day, 10), pc.less(day, 14))
    temp = pc.if_else(is_gone, pa.scalar(None, rows["temp"].type), rows["temp"])
    monitor = watch(tmp_path / "two")
    monitor.live("a.parquet", rows.set_column(2, "temp", temp))
    _, status = monitor.run()
    pages = [one for one in status.incidents if one.level == "page"]
    harm = next(one for one in pages if one.window_start < LIVE + timedelta(days=10))
    gone = next(one for one in pages if one.fact == "all values missing")
    assert harm.state != "closed"
    assert gone.closed_at is not None
    assert gone.closed_at <= LIVE + timedelta(days=18)
    assert gone.has_evidence, "else the losses would be no matter of it"
