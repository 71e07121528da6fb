"""Metrics of the rollouts that go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import get_args

from monitoring.dashboard.view.gauges import Gauge, escaped
from monitoring.records import RolloutRecord, RolloutVerdict
from monitoring.rollout.rollout_settings import setting

VERDICTS: tuple[RolloutVerdict, ...] = get_args(RolloutVerdict)


def rollout_gauges(rollouts: Sequence[tuple[str, RolloutRecord]]) -> Iterator[Gauge]:
    """The metrics of some rollouts.

    Yields:
        Gauges, labelled by deployment, champion, candidate, mode and store.
    """
    if not rollouts:
        return
    found = [(_labels(store, record), record) for store, record in rollouts]
    looked = [(labels, record.result) for labels, record in found if record.result is not None]
    yield Gauge(
        name="pitfalls_rollout_verdict",
        words="1 for the verdict on the candidate of a rollout that goes on, else 0.",
        samples=[
            (f'{labels},verdict="{verdict}"', verdict == _verdict(record))
            for labels, record in found
            for verdict in VERDICTS
        ],
    )
    yield Gauge(
        name="pitfalls_rollout_difference",
        words="The candidate's mean loss less the champion's, and the bounds of its interval.",
        samples=[
            (f'{labels},bound="{name}"', getattr(result.interval, name))
            for labels, result in looked
            for name in ("low", "mean", "high")
        ],
    )
    for name, words in (("rows", "Rows that both versions answered."), ("disagreements", "Rows they disagree on.")):
        yield Gauge(
            name=f"pitfalls_rollout_{name}",
            words=words,
            samples=[(labels, getattr(result, name)) for labels, result in looked],
        )
    yield Gauge(
        name="pitfalls_rollout_days_left",
        words="Days until a verdict at the rate so far.",
        samples=[(labels, result.needed.days) for labels, result in looked if result.needed is not None],
    )
    passes = [(labels, setting(record.settings, "worked_at")) for labels, record in found]
    yield Gauge(
        name="pitfalls_rollout_last_pass_timestamp_seconds",
        words="When the rollout's worker made its last pass.",
        samples=[(labels, datetime.fromisoformat(at).timestamp()) for labels, at in passes if at is not None],
    )


def _verdict(record: RolloutRecord) -> RolloutVerdict:
    return "can't tell yet" if record.result is None else record.result.verdict


def _labels(store: str, record: RolloutRecord) -> str:
    values = {
        "deployment": record.name,
        "champion": record.champion,
        "candidate": record.candidate,
        "mode": record.mode,
        "store": store,
    }
    return ",".join(f'{name}="{escaped(str(value))}"' for name, value in values.items())
