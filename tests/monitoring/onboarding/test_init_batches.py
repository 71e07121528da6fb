"""Tables without dates: each file, or each value of a column, is a window, in the reference and in live rows."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest

from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.inspection.status import status
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described
from monitoring.runs.backfill import list_windows
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from tests.own_table import NOW, OWN, REFERENCE, Watched, own_rows, watch
from tests.small_deployment import Days

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = Days(days=10, broken_from=6, broken_part=0.9)


def batched(table: pa.Table) -> pa.Table:
    """The rows without times, and their day as the number of a batch."""
    first = pc.min(table["ts"]).as_py()
    batch = pc.days_between(pa.scalar(first, table["ts"].type), table["ts"])
    return table.drop_columns(["ts", "known_at"]).append_column("batch", batch)


def files(folder: Path, table: pa.Table) -> Path:
    """A CSV file for each batch; names in the order of numbers, not of text."""
    folder.mkdir()
    for number in pc.unique(table["batch"]).to_pylist():
        rows = table.filter(pc.equal(table["batch"], number)).drop_columns(["batch"])
        pyarrow.csv.write_csv(rows, folder / f"day {number}.csv")
    return folder


@pytest.fixture(scope="module")
def by_file(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    folder = tmp_path_factory.mktemp("by-file")
    reference = files(folder / "reference", batched(own_rows(REFERENCE)))
    own = described(**OWN | {"event_time": None}, by_file=True)
    adopted = init_monitor(reference, own, out=folder / "flights", clock=lambda: NOW)
    files(folder / "live", batched(own_rows(BROKEN)))
    return Watched(folder=folder, adopted=adopted)


def test_each_file_is_a_window_and_the_page_names_the_file(by_file: Watched) -> None:
    assert by_file.adopted.windows == 90
    assert load_config(by_file.adopted.config).windows.by_file
    done, found = by_file.run()
    assert [window.batch for window in found.windows] == [f"day {number}.csv" for number in range(10)]
    assert done.judged == 10
    pages = [incident for incident in found.incidents if incident.level == "page"]
    names = {window.start: window.batch for window in found.windows}
    assert names[pages[0].window_start] in {"day 6.csv", "day 7.csv"}
    # Nothing is judged twice; a file that comes later, whatever its name, is the next window.
    assert by_file.run(now=NOW + timedelta(hours=1))[0].judged == 0
    later = files(by_file.folder / "later", batched(own_rows(Days(days=1, start=NOW, seed=9))))
    (later / "day 0.csv").rename(by_file.folder / "live" / "day 0b.csv")
    done, found = by_file.run(now=NOW + timedelta(hours=2))
    assert (done.judged, found.windows[-1].batch) == (1, "day 0b.csv")
    config = load_config(by_file.adopted.config)
    with Store.open(config.store.url) as store:
        listed = list_windows(config, store, done.deployment, latest=3, now=NOW)
    assert [window.batch for window in listed] == ["day 8.csv", "day 9.csv", "day 0b.csv"]


def test_the_newest_batch_is_judged_at_once_however_long_its_opening_takes(by_file: Watched) -> None:
    later = files(by_file.folder / "newest", batched(own_rows(Days(days=1, start=NOW + timedelta(days=1), seed=10))))
    (later / "day 0.csv").rename(by_file.folder / "live" / "day 0c.csv")
    config = load_config(by_file.adopted.config)
    config = config.model_copy(
        update={"traffic": config.traffic.model_copy(update={"path": (by_file.folder / "live").absolute()})}
    )
    ticks = count(1)
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: NOW + timedelta(hours=3, seconds=5 * next(ticks)))
        windows = status(store, config.model.name, done.deployment).windows
    assert windows[-1].batch == "day 0c.csv"


def test_a_batch_that_is_sent_again_makes_no_window_and_the_run_says_so(by_file: Watched) -> None:
    live = by_file.folder / "live"
    by_file.run(now=NOW + timedelta(days=2))
    copy = live / "day 9 again.csv"
    copy.write_bytes((live / "day 9.csv").read_bytes())
    rows = pyarrow.csv.read_csv(copy).num_rows
    done, _ = by_file.run(now=NOW + timedelta(days=2, hours=1))
    assert (done.judged, done.waiting_labels) == (0, 0)
    message = f"All {rows} rows of day 9 again.csv have the ids of earlier rows, and make no window."
    assert [finding.message.partition(" If ")[0] for finding in done.unreported if not finding.fact] == [message]
    # The next window spans the time of that batch too, and is named after the batch whose rows it has.
    later = files(by_file.folder / "new", batched(own_rows(Days(days=1, start=NOW + timedelta(days=2), seed=11))))
    (later / "day 0.csv").rename(live / "day 10.csv")
    done, status_after = by_file.run(now=NOW + timedelta(days=2, hours=2))
    copy.unlink()
    assert (done.judged, status_after.windows[-1].batch) == (1, "day 10.csv")
    assert any(message in finding.message for finding in status_after.windows[-1].findings)


def test_one_file_that_would_be_written_over_is_refused(by_file: Watched) -> None:
    config = load_config(by_file.adopted.config)
    section = config.traffic.model_copy(update={"path": (by_file.folder / "live" / "day 3.csv").absolute()})
    named = config.deployment.model_copy(update={"name": "alone"})
    alone = config.model_copy(update={"traffic": section, "deployment": named})
    with Store.open(alone.store.url) as store, pytest.raises(BadInput, match="written over it later would never be"):
        run_due_windows(alone, store, clock=lambda: NOW)


def test_each_value_of_a_column_is_a_window_and_no_input(tmp_path: Path) -> None:
    watched = watch(tmp_path, batched(own_rows(REFERENCE)), event_time=None, batch_column="batch")
    assert watched.adopted.windows == 90
    [role] = [one for one in watched.adopted.columns if one.name == "batch"]
    assert (role.role, role.why) == ("left out", "the batch")
    live = batched(own_rows(BROKEN))
    watched.live("a.parquet", live.filter(pc.less(live["batch"], 8)))
    assert watched.run()[0].judged == 8
    watched.live("b.parquet", live.filter(pc.greater_equal(live["batch"], 8)))
    done, found = watched.run(now=NOW + timedelta(days=1))
    assert (done.judged, [window.batch for window in found.windows]) == (2, [str(number) for number in range(10)])
    assert any(incident.level == "page" for incident in found.incidents)


def test_a_reference_of_one_batch_is_one_without_dates(tmp_path: Path) -> None:
    watched = watch(tmp_path, batched(own_rows(REFERENCE)).drop_columns(["batch"]), event_time=None, by_file=True)
    assert any("The reference has one batch" in note for note in watched.adopted.notes)
    watched.live("a.parquet", batched(own_rows(Days(days=1))).drop_columns(["batch"]))
    done, found = watched.run()
    assert (done.judged, found.windows[0].batch) == (1, "a.parquet")
