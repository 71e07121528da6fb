"""A held-out test set without dates is a reference: its windows are drawn, and live traffic has times."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described
from monitoring.records import MonitorStatus
from monitoring.traffic.descriptors.language import can_tell_languages
from tests.own_table import NOW, REFERENCE, Watched, own_rows, watch
from tests.small_deployment import Days


def undated(rows: int = 1_200) -> pa.Table:
    return own_rows(REFERENCE).slice(0, rows).drop_columns(["ts", "known_at"])


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Watched, MonitorStatus]:
    watched = watch(tmp_path_factory.mktemp("undated"), undated())
    watched.live("all.parquet", own_rows(Days(days=10, broken_from=6, broken_part=0.9)))
    return watched, watched.run()[1]


def test_windows_are_drawn_and_the_config_names_the_live_table_s_times(judged: tuple[Watched, MonitorStatus]) -> None:
    watched, _ = judged
    description = json.loads((watched.folder / "flights" / "baseline" / "baseline.json").read_text("utf-8"))
    assert (watched.adopted.windows, description["rows_per_window"]) == (20, 60)
    assert load_config(watched.adopted.config).traffic.event_time == "ts"
    assert any("The reference has no dates" in note for note in watched.adopted.notes)
    assert not any("cannot tell a season" in note for note in watched.adopted.notes)


def test_broken_answers_page_and_every_window_says_what_is_assumed(judged: tuple[Watched, MonitorStatus]) -> None:
    _, found = judged
    pages = [incident for incident in found.incidents if incident.level == "page"]
    assert pages
    assert min(page.window_start.day for page in pages) >= 7
    assert all(any(one.kind == "no dates" for one in window.findings) for window in found.windows)


def test_the_same_table_in_another_order_of_files_is_read_again_to_the_same_baseline(tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        watched = watch(tmp_path / name, undated(300), min_rows=10)
        written.append((watched.folder / "flights" / "baseline" / "baseline.json").read_bytes())
    assert written[0] == written[1]


NOTE = [
    f"note.{name}"
    for name in ("characters", "words", "out_of_vocabulary", "digits", "special_characters", "script")
] + ["note.language"] * can_tell_languages()  # fmt: skip


def test_a_few_dozen_rows_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a few hundred rows"):
        watch(tmp_path, undated(40))


def test_rows_of_a_group_are_drawn_together_and_no_text_is_stored(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "p": rng.random(600),
            "y": rng.integers(0, 2, 600),
            "customer": np.repeat(np.arange(60), 10),
            "note": [f"words of row {row} {number}" for row, number in enumerate(rng.integers(0, 10**9, 600))],
            "age": rng.normal(size=600),
        }
    )
    pq.write_table(table, tmp_path / "REF.parquet")
    said = described(scores=("p",), label="y", group="customer")
    made = init_monitor(tmp_path / "REF.parquet", said, out=tmp_path / "m", clock=lambda: NOW)
    roles = {one.name: (one.role, one.kind, one.why) for one in made.columns}
    assert roles == {
        "p": ("score", "", ""),
        "y": ("label", "", ""),
        "customer": ("left out", "", "the group"),
        "note": ("input", "text", f"watched as {', '.join(NOTE)}"),
        "age": ("input", "number", ""),
    }
    rows = pq.read_table(tmp_path / "m" / "baseline" / "reference.parquet")
    customers = dict(zip(table["age"].to_pylist(), table["customer"].to_pylist(), strict=True))
    kept = [customers[age] for age in rows["age"].to_pylist()]
    assert sum(a != b for a, b in pairwise(kept)) == 59
    stored = b"".join(path.read_bytes() for path in (tmp_path / "m" / "baseline").iterdir())
    assert b"words of row" not in stored
