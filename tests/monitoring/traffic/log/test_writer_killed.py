"""kill -9 of a process that writes: every row it has acknowledged is in the log, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from monitoring.traffic.log.conversion import recover
from monitoring.traffic.log.log import TrafficLog

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.writer import TrafficWriter

root, prefix, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rng = np.random.default_rng(seed)
writer = TrafficWriter(root, clock=lambda: datetime.now(UTC), segment_bytes=300_000)
number = 0
while True:
    count = int(rng.integers(1, 257))
    writer.append(AnsweredRows(
        model="m", version=1, signature="s", request_ids=[f"{prefix}-{number}"] * count,
        rows=np.arange(count, dtype=np.int32), event_times_us=rng.integers(0, 3 * 86_400_000_000, count),
        answered_at_us=number, latencies_us=np.zeros(count, np.int64),
        inputs={f"x{i}": rng.random(count, np.float32) for i in range(4)},
        outputs={"y": rng.random((count, 2), np.float32), "z": np.full(count, number)},
    ))
    sys.stdout.write(f"{prefix}-{number} {count}\\n")
    sys.stdout.flush()
    number += 1
"""


def killed_writer(root: Path, prefix: str, seed: int) -> dict[str, int]:
    """Starts a writer, kills it after some acknowledgements, and returns all that it had given: rows by request."""
    # So many acknowledgements it may give; where in the next append or conversion it dies is chance.
    patience = int(np.random.default_rng(seed).integers(1, 60))
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(root), prefix, str(seed)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(patience)]
    process.kill()
    lines += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    whole = (line.split() for line in lines if line.endswith("\n"))
    return {request: int(count) for request, count in whole}


def check_acknowledged(root: Path, acknowledged: dict[str, int], rounds: int) -> None:
    table = TrafficLog(root).read(model="m")
    summary = TrafficLog(root).summary()
    assert summary.repeats == 0
    assert summary.rows == table.num_rows
    counted = {row["values"]: row["counts"] for row in table["request_id"].value_counts().to_pylist()}
    assert {request: counted.get(request) for request in acknowledged} == acknowledged
    # At most one batch per killed writer was written whole and not acknowledged any more.
    assert len(counted.keys() - acknowledged.keys()) <= rounds
    answers = table["output:z"].combine_chunks().flatten().to_pylist()
    assert answers == [int(request.partition("-")[2]) for request in table["request_id"].to_pylist()]


@pytest.mark.parametrize("rounds", [10, pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_every_acknowledged_row_is_read_once_after_kill_9(tmp_path: Path, rounds: int) -> None:
    acknowledged: dict[str, int] = {}
    for number in range(rounds):
        acknowledged |= killed_writer(tmp_path, f"w{number}", number)
        if number % 5 == 4:  # the dead of some rounds pile up before somebody clears up
            check_acknowledged(tmp_path, acknowledged, number + 1)
            recover(tmp_path)
            check_acknowledged(tmp_path, acknowledged, number + 1)
    # What is left is of writers that died within their first append, which nobody was told of.
    assert all(path.stat().st_size < 100_000 for path in (tmp_path / "open").iterdir())
