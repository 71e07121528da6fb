"""Rows that a traffic log gets late are told, so are labels that come too late, and other models' labels are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from monitoring.config import load_config
from monitoring.inspection.status import status
from monitoring.records import MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.sentences.finding_text import finding_text
from monitoring.store.store import Store
from monitoring.timestamps import as_microseconds
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.writer import TrafficWriter
from tests.small_deployment import table_of

Send = Callable[..., None]
APRIL = datetime(2013, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NOW = datetime(2013, 5, 15, tzinfo=UTC)


def run(folder: Path, now: datetime = NOW) -> MonitorStatus:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: now)
        return status(store, "flights", done.deployment)


def answer(folder: Path, names: list[str], when: datetime, *, model: str = "flights") -> None:
    writer = TrafficWriter(folder / "traffic", clock=lambda: NOW)
    writer.append(
        AnsweredRows(
            model=model,
            version=1,
            signature="serving_default",
            request_ids=names,
            rows=[0] * len(names),
            event_times_us=np.full(len(names), as_microseconds(when)),
            answered_at_us=0,
            latencies_us=np.zeros(len(names), np.int64),
            inputs={"temp": np.full(len(names), 50.0, np.float32), "origin": np.array([b"EWR"] * len(names), object)},
            outputs={"probabilities": np.full((len(names), 2), 0.5, np.float32)},
        )
    )
    writer.close()


def label(folder: Path, names: list[str], when: datetime) -> None:
    writer = LabelWriter(folder / "traffic", clock=lambda: NOW)
    writer.append([f"{name}:0" for name in names], ["late"] * len(names), [as_microseconds(when)] * len(names))
    writer.close()


def messages(found: MonitorStatus, kind: str) -> list[tuple[int, str]]:
    return [(at, finding_text(f)) for at, w in enumerate(found.windows) for f in w.findings if f.kind == kind]


def test_rows_that_come_into_judged_windows_are_told_once_and_copies_are_none(
    deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=4))
    assert messages(run(deployed, APRIL + 3.5 * DAY), "late rows") == []
    answer(deployed, ["x", "y", "z"], APRIL + DAY)
    send(deployed, days(days=3), labels=False)  # the first three days once more, as a client that tries again does
    found = run(deployed, APRIL + 4.5 * DAY)
    text = (
        "3 rows arrived after their window was judged. They are not scored without a backfill; labels for them count."
    )
    expected = [(3, text)]
    assert messages(found, "late rows") == expected
    assert [w.rows for w in found.windows] == [60] * 4
    send(deployed, days(days=1, start=APRIL + 4 * DAY))
    label(deployed, ["x", "y"], APRIL + 4.2 * DAY)
    found = run(deployed)
    assert messages(found, "late rows") == expected
    assert found.windows[4].labels >= 2 + 50
    assert found.coverage.labels_due == 5 * 60 + 3


def test_labels_that_come_after_the_horizon_are_told_as_such_and_unknown_ones_as_unknown(
    deployed: Path, send: Send, days: Any
) -> None:
    answer(deployed, [f"old{place}" for place in range(40)], APRIL)
    send(deployed, days(days=12), labels=False)
    label(deployed, [f"old{place}" for place in range(40)], APRIL + 11.5 * DAY)
    label(deployed, ["never", "seen"], APRIL + 11.5 * DAY)
    found = run(deployed)
    (told,) = messages(found, "labels too late")
    assert told[0] == 11
    assert told[1].startswith(
        "0 of 40 labels that arrived counted; the others arrived later than label_horizon (7 days)"
    )
    assert found.coverage.labels_unknown == 2


def test_labels_of_another_model_in_the_same_log_are_not_counted_here(deployed: Path, send: Send, days: Any) -> None:
    send(deployed, days(days=3))
    alone = run(deployed)
    (deployed / "pitfalls.db").unlink()
    names = [f"boat{place}" for place in range(500)]
    answer(deployed, names, APRIL + DAY, model="boats")
    label(deployed, names, APRIL + 1.5 * DAY)
    assert run(deployed) == alone


def test_labels_that_name_another_model_do_not_count_here_whatever_their_ids(
    deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=3))
    alone = run(deployed)
    (deployed / "pitfalls.db").unlink()
    table = table_of(days(days=3))
    ids, other = table["prediction_id"].to_pylist(), "boats"
    answer(deployed, ids[:50], APRIL, model=other)
    writer = LabelWriter(deployed / "traffic", clock=lambda: NOW)
    times = [as_microseconds(APRIL + 2.5 * DAY)] * len(ids)
    writer.append(ids, ["late"] * len(ids), times, models=[other] * len(ids))
    writer.append(ids[:3], ["late"] * 3, times[:3], models=["bots"] * 3)
    writer.close()
    found = run(deployed)
    assert [w.labels for w in found.windows] == [w.labels for w in alone.windows]
    assert [w.labels_conflicting for w in found.windows] == [w.labels_conflicting for w in alone.windows]
    (told,) = messages(found, "labels of no model")
    assert told[1].startswith("3 labels name a model of which the log has no row, such as 'bots', and are ignored")
