"""What the writer does when batches differ, files fill up, and the disk does not play along."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.erased_ids import FOLDER, ErasedIds, log_key
from monitoring.traffic.format.rows import LAST_US, AnsweredRows
from monitoring.traffic.log.conversion import recover
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter

Answer = Callable[..., AnsweredRows]
Clock = Callable[[], datetime]


def open_segments(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "open").iterdir())


def test_one_append_grows_one_file_and_the_first_carries_the_schema(
    tmp_path: Path, clock: Clock, answer: Answer
) -> None:
    writer = TrafficWriter(tmp_path, clock=clock)
    assert open_segments(tmp_path) == []
    writer.append(answer("a", 0))
    assert open_segments(tmp_path) == []  # zero rows leave nothing behind
    sizes = []
    for request in ("a", "b", "c"):
        writer.append(answer(request, 4))
        [name] = open_segments(tmp_path)
        sizes.append((tmp_path / "open" / name).stat().st_size)
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0] < sizes[0]
    writer.close()


def test_each_version_and_signature_has_its_own_segment(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path, clock=clock)
    for batch in (answer("a"), answer("b", version=2), answer("c", signature="explain"), answer("d")):
        writer.append(batch)
    assert len(open_segments(tmp_path)) == 3
    writer.close()
    assert TrafficLog(tmp_path).read(model="flights").num_rows == 8


def test_the_order_of_the_inputs_does_not_matter(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path, clock=clock)
    writer.append(answer("a", 1))
    turned = answer("b", 1)
    writer.append(replace(turned, inputs=dict(reversed(list(turned.inputs.items())))))
    assert len(open_segments(tmp_path)) == 1
    writer.close()
    table = TrafficLog(tmp_path).read(model="flights")
    assert table["input:carrier"].to_pylist() == [[b"UA"], [b"UA"]]


def test_shapes_that_vary_open_a_second_segment_and_no_third(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path, clock=clock, segment_bytes=1 << 30)
    for length in (3, 5, 7, 3, 4):
        batch = answer(f"r{length}", 2)
        writer.append(replace(batch, inputs={"tokens": np.full((2, length, 2), length, np.int32)}))
    assert len([*(tmp_path / "open").iterdir(), *tmp_path.rglob("*.parquet")]) >= 2
    writer.close()
    assert len(list(tmp_path.rglob("*.parquet"))) == 2
    table = TrafficLog(tmp_path).read(model="flights")
    assert table.num_rows == 8  # r3 was written twice
    assert table.schema.field("input:tokens").metadata[b"shape"] == b"[-1, 2]"
    assert sorted(len(row) for row in table["input:tokens"].to_pylist()) == [6, 6, 8, 8, 10, 10, 14, 14]


def test_versions_with_other_inputs_are_read_together_with_nulls(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path, clock=clock)
    writer.append(answer("a", 1))
    writer.append(replace(answer("b", 1, version=2), inputs={"wind": np.array([7.0], np.float32)}))
    writer.append(replace(answer("c", 1, version=3), inputs={"temp": np.array([b"hot"], object)}))
    writer.close()
    log = TrafficLog(tmp_path)
    assert log.read(model="flights", columns=["input:wind"], version=2)["input:wind"].to_pylist() == [[7.0]]
    with pytest.raises(BadInput, match=r"'input:temp' changed its type.*Read one version"):
        log.read(model="flights")
    both = log.read(model="flights", columns=["input:wind", "prediction_id"])
    assert both.to_pydict() == {"input:wind": [None, [7.0], None], "prediction_id": ["a:0", "b:0", "c:0"]}


def test_a_full_segment_is_converted_while_the_writer_goes_on(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path, clock=clock, segment_bytes=20_000)
    for number in range(100):
        writer.append(answer(f"r{number}", 8))
    log = TrafficLog(tmp_path)
    assert log.read(model="flights").num_rows == 800
    writer.close()
    writer.close()
    assert open_segments(tmp_path) == []
    assert len(list(tmp_path.rglob("*.parquet"))) > 3
    assert log.read(model="flights").num_rows == 800
    assert writer.unconverted == 0


def test_threads_append_without_losing_or_mixing_rows(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path, clock=clock, segment_bytes=50_000)

    def work(thread: int) -> None:
        for number in range(40):
            writer.append(answer(f"t{thread}-{number}", 1 + number % 5, salt=thread))

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    summary = TrafficLog(tmp_path).summary()
    assert (summary.rows, summary.repeats) == (4 * 40 * 3, 0)


def test_rows_that_do_not_fit_together_are_refused_and_nothing_is_written(
    tmp_path: Path, clock: Clock, answer: Answer
) -> None:
    writer = TrafficWriter(tmp_path, clock=clock)
    good = answer("a", 2)
    for bad, said in [
        (replace(good, latencies_us=np.zeros(3, np.int64)), "latencies_us"),
        (replace(good, inputs={"temp": np.zeros(1, np.float32)}), "temp"),
        (replace(good, inputs={"temp": np.float32(1.0)}), "temp"),  # type: ignore[dict-item]  # what is tested
        (replace(good, inputs={"day": np.zeros(2, "datetime64[D]")}), "datetime64"),
        (replace(good, event_times_us=np.array([0, LAST_US + 1])), "years 1 to 9999"),
    ]:
        with pytest.raises(BadInput, match=said):
            writer.append(bad)
    assert open_segments(tmp_path) == []
    writer.close()
    with pytest.raises(CannotRun, match="closed"):
        writer.append(good)


def test_a_folder_that_cannot_be_written_is_named_at_once(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CannotRun, match=r"file/traffic/open"):
        TrafficWriter(tmp_path / "file" / "traffic", clock=clock)


PREAMBLE = """
import errno, resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.conversion import recover
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter

root, limit = Path(sys.argv[1]), int(sys.argv[2])

def answer(number):
    return AnsweredRows(
        model="m", version=1, signature="s", request_ids=[str(number)] * 4, rows=range(4),
        event_times_us=np.full(4, number), answered_at_us=0, latencies_us=np.zeros(4, np.int64),
        inputs={"x": np.random.default_rng(number).random((4, 40))}, outputs={},  # what does not compress
    )

def largest_file(size):  # the disk is full once a file has this size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = TrafficWriter(root, clock=lambda: datetime.now(UTC))
answered = set()
"""

APPENDS_FAIL = """
failed = 0
largest_file(limit)
for number in range(40):
    try:
        writer.append(answer(number))
        answered.add(str(number))
    except OSError as error:
        assert error.errno == errno.EFBIG, error
        failed += 1
largest_file(resource.RLIM_INFINITY)
writer.append(answer(1000))
answered.add("1000")
writer.close()
assert set(TrafficLog(root).read(model="m")["request_id"].to_pylist()) == answered
summary = TrafficLog(root).summary()
assert (summary.rows, summary.repeats, summary.torn_bytes) == (4 * len(answered), 0, 0), summary
print(len(answered), failed)
"""

CONVERSION_FAILS = """
for number in range(40):
    writer.append(answer(number))
before = TrafficLog(root).read(model="m")
largest_file(limit)
writer.close()
assert writer.unconverted == 1
assert not [path for path in root.rglob("*") if path.suffix in (".tmp", ".parquet")]
assert TrafficLog(root).read(model="m").equals(before)
largest_file(resource.RLIM_INFINITY)
assert recover(root).rows == 160
assert TrafficLog(root).read(model="m").equals(before)
print(0, 0)
"""


def with_full_disk(script: str, root: Path, limit: int) -> tuple[int, int]:
    arguments = [sys.executable, "-c", PREAMBLE + script, str(root), str(limit)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answered, failed = done.stdout.split()
    return int(answered), int(failed)


def test_a_full_disk_fails_the_append_and_hides_no_row_before_or_after(tmp_path: Path) -> None:
    answered, failed = with_full_disk(APPENDS_FAIL, tmp_path, 10_000)
    assert answered > 20
    assert failed > 3


def test_a_disk_too_full_for_the_first_record_leaves_no_rubbish(tmp_path: Path) -> None:
    assert with_full_disk(APPENDS_FAIL, tmp_path, 1_500) == (1, 40)
    assert open_segments(tmp_path) == []


def test_a_conversion_that_fails_leaves_the_segment_to_be_recovered(tmp_path: Path) -> None:
    with_full_disk(CONVERSION_FAILS, tmp_path, 3_000)
    assert open_segments(tmp_path) == []


def test_after_an_erasure_every_segment_is_closed_once(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    writer = TrafficWriter(tmp_path, clock=clock)
    for batch in (answer("a"), answer("b", version=2)):
        writer.append(batch)
    writer.maintain()
    assert len(open_segments(tmp_path)) == 2
    hashes = ErasedIds(key=log_key(tmp_path)).hashed(["a:0"])
    (tmp_path / FOLDER / "one.json").write_text(json.dumps({"ids": hashes}), "utf-8")
    writer.maintain()
    writer._converter.submit(lambda: None).result()
    assert open_segments(tmp_path) == []
    writer.append(answer("c"))
    writer.maintain()
    assert len(open_segments(tmp_path)) == 1
    writer.close()
    assert TrafficLog(tmp_path).summary().rows == 5


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


@pytest.mark.parametrize("rounds", [5, pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
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
