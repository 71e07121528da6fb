"""The drift report's rows: each with its label, wherever that is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from monitoring.baseline.folder import load_baseline
from monitoring.config import load_config
from monitoring.deployment.places import find_baseline
from monitoring.inspection.report import labelled_rows
from monitoring.tasks.task import NO_LABEL
from monitoring.traffic.windows import Window
from tests.own_table import Watched, own_rows, watch
from tests.small_deployment import Days

LIVE = Days(days=9)


def labelled(watched: Watched, file: str) -> list[int]:
    """The labels of the fourth day's rows, in order of their ids, as the drift report has them."""
    watched.run(traffic=file)
    config = load_config(watched.adopted.config)
    path = (watched.folder / file).absolute()
    config = config.model_copy(update={"traffic": config.traffic.model_copy(update={"path": path})})
    baseline = load_baseline(find_baseline(config).baseline)
    start = datetime(2013, 4, 4, tzinfo=UTC)
    found = labelled_rows(config, baseline, 1, Window(start=start, end=start + timedelta(days=1)))
    return [int(label) for label in found.labels[pc.sort_indices(found.ids).to_numpy()]]


@pytest.mark.parametrize("named", [True, False])
def test_a_window_in_the_midst_of_a_file_has_its_labels_whatever_the_kind_of_file(tmp_path: Path, named: bool) -> None:
    rows = own_rows(LIVE).drop_columns(["known_at"] if named else ["known_at", "id"])
    column = "id" if named else None
    watched = [watch(tmp_path / kind, label_time=None, prediction_id=column) for kind in ("parquet", "csv")]
    pq.write_table(rows, watched[0].folder / "live.parquet")
    text = rows.set_column(rows.column_names.index("ts"), "ts", pc.strftime(rows["ts"], "%Y-%m-%dT%H:%M:%SZ"))
    pa.csv.write_csv(text, watched[1].folder / "live.csv")
    streamed = labelled(watched[0], "live.parquet")
    assert len(streamed) == 60
    assert NO_LABEL not in streamed
    assert sorted(streamed) == sorted(labelled(watched[1], "live.csv"))
