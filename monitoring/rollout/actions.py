"""What is done with a rollout: begun, promoted, taken back, stopped."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from monitoring.config import MonitorConfig
from monitoring.errors import BadInput
from monitoring.records import RolloutEvent, RolloutPlan, RolloutRecord
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.in_use import check_policy, put_in_use
from monitoring.rollout.life import Step, check_goes_on, ended
from monitoring.rollout.rollout_settings import UNSERVED, iso, settings_text
from monitoring.rollout.split.split_file import end_split
from monitoring.store.store import Store

if TYPE_CHECKING:
    from monitoring.rollout.log.versions import Versions


def _random_salt() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who does something with a rollout, with which release of this library, by which clock, and how a salt is drawn.

    A rollout's salt, as text, decides which units the candidate answers and which rows labels are asked for.
    """

    by: str
    release: str
    clock: Callable[[], datetime]
    draw_salt: Callable[[], str] = _random_salt


def begin(
    config: MonitorConfig,
    store: Store,
    versions: Versions,
    rules: DecisionRules,
    author: Author,
    *,
    plan: RolloutPlan | None = None,
) -> RolloutRecord:
    """Begin a rollout, of the mode that the config says."""
    section, now = config.rollout, author.clock()
    check_policy(config, versions)
    unserved = {UNSERVED: True} if versions.is_unserved else {}
    record = RolloutRecord(
        name=config.name,
        model=config.model.name,
        champion=versions.champion,
        candidate=versions.candidate,
        mode=section.mode,
        share=section.share,
        salt=author.draw_salt(),
        settings=settings_text(rules, key=section.key, sticky=section.sticky, worked_at=iso(now), **unserved),
        state="running",
        started_at=now,
        by=author.by,
        release=author.release,
        plan=plan,
    )
    number = store.rollouts.begin(record)
    record = store.rollouts.read(number)
    what = "in the dark" if record.mode == "shadow" else "a share of the requests"
    text = f"Version {record.candidate} answers {record.share:.0%}, {what}; version {record.champion} is in use."
    store.rollouts.save(record, [RolloutEvent(at=now, kind="started", by=author.by, text=text)])
    return record


def promote(
    config: MonitorConfig, store: Store, record: RolloutRecord, author: Author, *, force: bool = False
) -> RolloutRecord:
    """Put the candidate in use, see `put_in_use`; the former champion goes on in the dark.

    Raises:
        BadInput: the evidence does not allow it, or the config does not say what to move.
        CannotRun: the label names another version than the champion, or the server does not follow.
    """
    if record.mode == "watch" or (record.mode != "replay" and not record.goes_on):
        check_goes_on(record)
        raise BadInput(
            "A promotion is watched, and not promoted.",
            got=f"rollout {record.number}",
            expected="a rollout of a candidate",
            fix="`pitfalls rollout rollback` takes the promotion back.",
        )
    if not force and (record.result is None or not record.result.promotable):
        reasons = () if record.result is None else record.result.reasons
        raise BadInput(
            "The evidence does not allow a promotion.",
            got=" ".join(reasons) or "no look at the evidence yet",
            expected="the loss as required, and every guard not worse",
            fix="Wait for it; or promote all the same, with --force, which is recorded.",
        )
    outcome = put_in_use(config, record, record.candidate)
    now = author.clock()
    forced = " by force, against the evidence" if force else ""
    text = f"Version {record.candidate} was promoted{forced}. {outcome}"
    step = ended(record, "promoted", now, author.by, text)
    former = record if record.mode == "replay" else step.record
    number = store.rollouts.begin_after(former, step.events, _watch(record, author, now))
    watch = store.rollouts.read(number)
    text = f"Version {record.champion} goes on in the dark, so that version {record.candidate} can be taken back."
    if config.rollout.answers_change_labels:
        text += " As answers change labels, its errors and its latency alone are compared."
    store.rollouts.save(watch, [RolloutEvent(at=now, kind="started", by=author.by, text=text)])
    return watch


def _watch(record: RolloutRecord, author: Author, now: datetime) -> RolloutRecord:
    """The reverse shadow of a promotion."""
    return replace(
        record,
        mode="watch",
        state="running",
        share=1.0,
        salt=author.draw_salt(),
        settings=_restarted(record.settings, now),
        started_at=now,
        by=author.by,
        ended_at=None,
        scale=None,
        result=None,
        plan=None,
        follows=record.number,
        number=0,
    )


def _restarted(settings: str, now: datetime) -> str:
    """Settings without what was learned of the former rollout."""
    document = json.loads(settings)
    for name in ("shares", "costs"):
        document.pop(name, None)
    return json.dumps({**document, "worked_at": iso(now)}, sort_keys=True)


def take_back(config: MonitorConfig, store: Store, record: RolloutRecord, author: Author) -> RolloutRecord:
    """Put the former champion in use again.

    Raises:
        BadInput: it watches no promotion, has ended, or the config does not say what to move.
        CannotRun: the label names another version than the promoted one, or the server does not follow.
    """
    check_goes_on(record)
    if record.mode != "watch":
        raise BadInput(
            "Nothing was promoted that could be taken back.",
            got=f"rollout {record.number}, of mode {record.mode}",
            expected="the rollout that watches a promotion",
            fix="`pitfalls rollout stop` ends this one; the champion stays.",
        )
    outcome = put_in_use(config, record, record.champion)
    now = author.clock()
    step = ended(record, "rolled back", now, author.by, f"Version {record.candidate} was taken back. {outcome}")
    return _save_end(store, step)


def stop(config: MonitorConfig, store: Store, record: RolloutRecord, author: Author, reason: str = "") -> RolloutRecord:
    """End a rollout; whatever version is in use stays."""
    check_goes_on(record)
    stays = record.candidate if record.mode == "watch" else record.champion
    text = f"Stopped; version {stays} stays." + (f" {reason}" if reason else "")
    if record.mode == "split" and config.rollout.split_file is not None:
        end_split(config.rollout.split_file, stays, salt=record.salt)
    return _save_end(store, ended(record, "stopped", author.clock(), author.by, text))


def _save_end(store: Store, step: Step) -> RolloutRecord:
    """Keep the end of a rollout; BadInput if somebody else has ended it meanwhile."""
    if not store.rollouts.save(step.record, step.events):
        check_goes_on(store.rollouts.read(step.record.number))
    return step.record
