"""A traffic log of three predictions, labels for two of them, and the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.writer import TrafficWriter
from pitfalls_tf.cli import pitfalls

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    """A log of three predictions."""
    folder = tmp_path / "traffic"
    writer = TrafficWriter(folder, clock=lambda: NOON)
    writer.append(
        AnsweredRows(
            model="flights",
            version=1,
            signature="serving_default",
            request_ids=["a", "a", "b"],
            rows=[0, 1, 0],
            event_times_us=np.full(3, as_microseconds(NOON)),
            answered_at_us=0,
            latencies_us=np.zeros(3, np.int64),
            inputs={"carrier": np.array([b"UA", b"B6", b"UA"], object)},
            outputs={"probabilities": np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]], np.float32)},
        )
    )
    writer.close()
    return folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Labels for two of them, one of them twice."""
    file = tmp_path / "labels.csv"
    file.write_text(
        "prediction_id,label,label_time\n"
        "a:0,on_time,2013-04-01T15:00:00Z\na:1,late,2013-04-01T16:00:00Z\na:1,on_time,2013-04-01T17:00:00Z\n",
        "utf-8",
    )
    return file


def run(*arguments: object) -> Result:
    """Run the command line."""
    return CliRunner().invoke(pitfalls, [str(argument) for argument in arguments])
