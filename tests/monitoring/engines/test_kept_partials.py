"""With `keep = true` a window is judged again, and windows as a longer one, once their rows are gone."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.config import MonitorConfig, load_config
from monitoring.distribution import installed_version
from monitoring.engines import codec
from monitoring.engines.task import gathered
from monitoring.erasure.erase import ErasureRequest, Waiting, erase, plan_erasure
from monitoring.errors import BadInput, CannotRun
from monitoring.inspection.status import status
from monitoring.records import WindowRecord
from monitoring.runs.backfill import BackfillRequest, WindowRange, backfill
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from monitoring.traffic.tables.kept_sums import FOLDER
from tests.own_table import NOW, Watched, own_rows, watch
from tests.small_deployment import LIVE, Days

DAYS = 28
FROM = LIVE + timedelta(days=7)
DAY_TEN = LIVE + timedelta(days=10)


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return watch(tmp_path_factory.mktemp("watched"))


class Kept:
    """A deployment that keeps partials, and its live rows, a file for each day."""

    def __init__(self, folder: Path) -> None:
        self.live = folder / "live"
        self.toml = folder / "flights/monitor.toml"

    @classmethod
    def new(cls, folder: Path, adopted: Watched) -> Kept:
        """One that has judged nothing yet."""
        shutil.copytree(adopted.adopted.config.parent, folder / "flights")
        self = cls(folder)
        self.live.mkdir()
        text = self.toml.read_text("utf-8")
        self.toml.write_text(f'{text}\n[engine]\nkeep = true\n\n[retention]\ncheckpoints = "300d"\n', "utf-8")
        rows = own_rows(Days(days=DAYS, start=LIVE, broken_from=20, seed=11))
        rows = rows.set_column(rows.column_names.index("known_at"), "known_at", rows["ts"])  # labels with their rows
        times = np.asarray(rows["ts"].cast(pa.int64()))
        for day in range(DAYS):
            first, last = ((LIVE + timedelta(days=day + more)).timestamp() * 1e6 for more in (0, 1))
            pq.write_table(rows.filter(pa.array((times >= first) & (times < last))), self.live / f"{day:02}.parquet")
        return self

    @property
    def config(self) -> MonitorConfig:
        config = load_config(self.toml)
        return config.model_copy(update={"traffic": config.traffic.with_path(self.live)})

    @property
    def partials(self) -> list[Path]:
        return sorted((self.config.traffic.label_log / FOLDER).iterdir())

    def lose_rows(self, days: Iterable[int]) -> None:
        for day in days:
            (self.live / f"{day:02}.parquet").unlink()

    def run(self) -> tuple[WindowRecord, ...]:
        config = self.config
        with Store.open(config.store.url) as store:
            number = run_due_windows(config, store, clock=lambda: NOW).deployment
            return status(store, config.name, number).windows

    def again(self, start: datetime = FROM) -> tuple[WindowRecord, ...]:
        config, asked = self.config, WindowRange(start=start, end=LIVE + timedelta(days=DAYS), by="test")
        with Store.open(config.store.url) as store:
            done = backfill(config, store, BackfillRequest(windows=asked), clock=lambda: NOW)
            return status(store, config.name, done.run.deployment).windows


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, adopted: Watched) -> tuple[Path, tuple[WindowRecord, ...]]:
    """The folder of a deployment whose days have been judged and kept, and their records."""
    folder = tmp_path_factory.mktemp("judged")
    return folder, Kept.new(folder, adopted).run()


@pytest.fixture
def kept(judged: tuple[Path, tuple[WindowRecord, ...]], tmp_path: Path) -> Kept:
    """A copy of it."""
    shutil.copytree(judged[0], tmp_path, dirs_exist_ok=True)
    return Kept(tmp_path)


@pytest.fixture
def before(judged: tuple[Path, tuple[WindowRecord, ...]]) -> tuple[WindowRecord, ...]:
    """The records of the days as they were judged with their rows."""
    return judged[1]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The tasks that read rows."""
    seen: list[object] = []

    def counting(*arguments: Any) -> Any:
        seen.append(arguments)
        return gathered(*arguments)

    monkeypatch.setattr("monitoring.engines.task.gathered", counting)
    return seen


def without_remarks(windows: tuple[WindowRecord, ...]) -> list[str]:
    """Records in all of their digits, but for what is said of rows that are gone."""
    return [
        repr(replace(window, findings=tuple(one for one in window.findings if one.kind != "rows gone")))
        for window in windows
    ]


def test_windows_are_judged_again_without_their_rows(
    kept: Kept, before: tuple[WindowRecord, ...], reads: list[object]
) -> None:
    assert len(kept.partials) == DAYS == len(before)
    assert {path.stat().st_mode & 0o777 for path in kept.partials} == {0o600}
    assert kept.partials[0].parent.stat().st_mode & 0o777 == 0o700
    kept.lose_rows(range(3, 18))
    reads.clear()
    after = kept.again()
    assert not reads
    assert without_remarks(before) == without_remarks(after)
    gone = [any(one.kind == "rows gone" for one in window.findings) for window in after]
    assert gone == [7 <= day < 18 for day in range(DAYS)]
    assert any(window.rows == 0 for window in after) is False


def test_rows_that_are_as_they_were_are_not_read_again_and_changed_ones_are(
    kept: Kept, before: tuple[WindowRecord, ...], reads: list[object]
) -> None:
    assert without_remarks(kept.again()) == without_remarks(before)
    assert not reads
    changed = kept.live / "10.parquet"
    rows = pq.read_table(changed)
    pq.write_table(rows.slice(0, rows.num_rows), changed, row_group_size=7)
    assert without_remarks(kept.again()) == without_remarks(before)
    assert len(reads) == 1


def weekly(kept: Kept) -> None:
    """Give the deployment windows of a week."""
    text = kept.toml.read_text("utf-8")
    assert 'every = "1d"' in text
    kept.toml.write_text(text.replace('every = "1d"', 'every = "7d"'), "utf-8")


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory, adopted: Watched) -> tuple[WindowRecord, ...]:
    """Weeks that were judged by their rows."""
    rows = Kept.new(tmp_path_factory.mktemp("weeks"), adopted)
    weekly(rows)
    return rows.run()


def test_weeks_are_made_of_kept_days(kept: Kept, weeks: tuple[WindowRecord, ...], reads: list[object]) -> None:
    assert len(weeks) >= 4
    weekly(kept)
    kept.lose_rows(range(21))
    reads.clear()
    found = kept.run()
    assert not reads
    assert without_remarks(found) == without_remarks(weeks)
    assert any(one.kind == "rows gone" for one in found[0].findings)


def test_weeks_are_made_of_kept_days_whose_rows_are_gone_and_of_the_rows_of_others(
    kept: Kept, weeks: tuple[WindowRecord, ...], reads: list[object]
) -> None:
    weekly(kept)
    kept.lose_rows((*range(3), *range(9, 12)))
    for path in kept.partials:
        if (datetime.fromtimestamp(int(path.name[:10]), UTC) - LIVE).days in {4, 5, 13}:
            path.unlink()
    reads.clear()
    found = kept.run()
    assert without_remarks(found) == without_remarks(weeks)
    assert 0 < len(reads) <= 3
    gone = [
        one.message.startswith("Of the rows") for window in found for one in window.findings if one.kind == "rows gone"
    ]
    assert gone == [True, True]


def test_a_kept_day_that_is_missing_is_not_taken_for_one_without_rows(
    kept: Kept, before: tuple[WindowRecord, ...]
) -> None:
    weekly(kept)
    kept.lose_rows(range(3, 6))
    kept.partials[4].unlink()
    (first, *others) = kept.run()
    assert first.rows == sum(window.rows for window in (*before[:3], before[6]))
    assert not any(one.kind == "rows gone" for one in first.findings)
    assert [window.rows for window in others] == [
        sum(window.rows for window in before[day : day + 7]) for day in range(7, 28, 7)
    ]


def test_sums_of_another_release_are_not_used(
    kept: Kept,
    before: tuple[WindowRecord, ...],
    reads: list[object],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = codec.FORMAT
    monkeypatch.setattr(codec, "FORMAT", now + 1)
    reads.clear()
    with caplog.at_level(logging.WARNING):
        assert without_remarks(kept.again()) == without_remarks(before)
    assert reads
    assert f"not used: they are of release {installed_version()}, format {now}" in caplog.text
    kept.lose_rows(range(18))
    monkeypatch.undo()
    with pytest.raises(
        BadInput, match=f"kept of it, but they are of release {re.escape(installed_version())}, format {now + 1}"
    ):
        kept.again()
    assert len(kept.partials) == DAYS


def test_sums_with_samples_by_event_time_are_used_where_rows_are_gone_and_say_so(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "FORMAT", codec.DRAWN_BY_TIME)
    kept.again()
    monkeypatch.undo()
    kept.lose_rows(range(10, 14))
    found = [any("drawn by event time" in one.message for one in window.findings) for window in kept.again()]
    assert sum(found) == 4
    kept.lose_rows(range(14, 18))
    again = [any("drawn by event time" in one.message for one in window.findings) for window in kept.again()]
    assert again == found


def test_files_that_are_damaged_or_open_to_others_are_not_used(kept: Kept) -> None:
    kept.lose_rows(range(10, 11))
    (path,) = (path for path in kept.partials if path.name.startswith(str(int(DAY_TEN.timestamp()))))
    path.chmod(0o666)
    with pytest.raises(BadInput, match="other users can write it"):
        kept.again()
    path.chmod(0o600)
    data = path.read_bytes()
    path.write_bytes(data[:-9] + b"damaged!!")
    with pytest.raises(CannotRun, match="its contents are damaged"):
        kept.again()


def test_labels_that_came_later_than_rows_that_are_gone_are_refused_before_anything_is_put_back(
    tmp_path: Path, adopted: Watched
) -> None:
    kept = Kept.new(tmp_path, adopted)
    path = kept.live / "10.parquet"
    rows = pq.read_table(path)
    later = pa.array(np.asarray(rows["ts"].cast(pa.int64())) + 3_600_000_000).cast(rows["ts"].type)
    pq.write_table(rows.set_column(rows.column_names.index("known_at"), "known_at", later), path)
    before = kept.run()
    kept.lose_rows(range(10, 11))
    with pytest.raises(BadInput, match="labels are for which came later"):
        kept.again()
    assert kept.run() == before


def test_retention_and_erasure_reach_what_is_kept(kept: Kept) -> None:
    wanted = pq.read_table(kept.live / "05.parquet")["id"][0].as_py()
    request = ErasureRequest(root=kept.config.traffic.label_log, ids=(wanted,), by="test")
    (found,) = (one for one in plan_erasure(request, lambda: NOW) if one.kind == "kept sums")
    assert found.file.startswith(f"partials/{int((LIVE + timedelta(days=5)).timestamp())}")
    quiet = Waiting(seconds=0, clock=lambda: NOW, elapsed=lambda: 0.0, sleep=lambda _: None, tell=lambda _: None)
    receipt, _ = erase(request, quiet)
    assert found in receipt.files
    assert len(kept.partials) == DAYS - 1
    assert found.file.removeprefix("partials/") not in {path.name for path in kept.partials}
    kept.toml.write_text(
        kept.toml.read_text("utf-8").replace("[retention]\n", '[retention]\npartials = "30d"\n'), "utf-8"
    )
    rows = pq.read_table(kept.live / "27.parquet")
    moved = pa.array(np.asarray(rows["ts"].cast(pa.int64())) + 86_400_000_000).cast(rows["ts"].type)
    ids = pa.array([f"{word} again" for word in rows["id"].to_pylist()])
    pq.write_table(rows.set_column(1, "ts", moved).set_column(0, "id", ids), kept.live / "28.parquet")
    kept.run()
    assert 0 < len(kept.partials) < DAYS
