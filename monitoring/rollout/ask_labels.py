"""Asks for the labels of rows on which the versions of a rollout disagree."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from monitoring.config import MonitorConfig
from monitoring.records import RolloutEvent, RolloutRecord
from monitoring.rollout.actions import Author
from monitoring.rollout.life import check_goes_on
from monitoring.rollout.log.evidence_job import answers_folder, measures_of, plan_of
from monitoring.rollout.log.label_samples import Asking, LabelRows, draw_sample, rows_to_label
from monitoring.rollout.log.paired_log import PairedLog, champion_log, windows_of
from monitoring.rollout.log.versions import bundle_digest, find_versions
from monitoring.rollout.rollout_settings import rules_of_text
from monitoring.rollout.shadow.shares import shares_of
from monitoring.store.store import Store


def ask_labels(
    config: MonitorConfig,
    store: Store,
    record: RolloutRecord,
    author: Author,
    asking: Asking,
    write: Callable[[pa.Table], object],
) -> tuple[LabelRows, pa.Table]:
    """Choose rows, write them, and have their windows wait for the labels."""
    check_goes_on(record)
    versions = find_versions(config, champion=record.logging, candidate=record.dark)
    rules, champion = rules_of_text(record.settings), champion_log(versions)
    folder = answers_folder(config, versions, bundle_digest(versions.bundle))
    paired = PairedLog(versions, champion, folder, horizon=rules.horizon, swapped=record.mode == "watch")
    now = author.clock()
    sampled_starts = {start for start, *_ in store.rollouts.windows(record.number)}
    last = max((sample.end for sample in store.rollouts.samples(record.number)), default=record.started_at)
    windows = [
        window
        for window in windows_of(champion, plan_of(config), since=None, until=now - config.windows.lateness)
        if window.end > last and window.start not in sampled_starts
    ]
    measures = measures_of(versions, rules, record.scale)
    label_rows = draw_sample(paired, windows, measures, shares_of(record), asking)
    table = rows_to_label(champion, label_rows, now)
    write(table)
    text = f"The labels of {table.num_rows:,} rows were asked for, until {asking.due:%Y-%m-%d %H:%M} UTC."
    event = RolloutEvent(at=now, kind="labels", by=author.by, text=text)
    store.rollouts.add_sample(record.number, label_rows.sample, event)
    return label_rows, table
