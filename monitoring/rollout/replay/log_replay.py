"""A rollout replayed on a traffic log: the candidate answers logged requests whose labels are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NoReturn

from monitoring.errors import BadInput
from monitoring.records import RolloutEvent, RolloutRecord
from monitoring.rollout.actions import Author
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evaluation import evaluate
from monitoring.rollout.log.candidate_log import Answering, CandidateLog
from monitoring.rollout.log.evidence_job import (
    ChosenByHash,
    CountedWindow,
    MatureWindow,
    answers_folder,
    count_windows,
    due_windows,
    measures_of,
    plan_of,
    share_obstacles,
    window_wait,
)
from monitoring.rollout.log.paired_log import PairedLog, champion_log, windows_of
from monitoring.rollout.log.versions import Versions, bundle_digest
from monitoring.rollout.replay.table_replay import ReplayResult
from monitoring.rollout.rollout_settings import UNSERVED, iso, settings_text
from monitoring.rollout.scoring import Scorer
from monitoring.store.store import Store
from monitoring.traffic.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What is replayed.

    Attributes:
        since: Windows before that time are left out; None: only those that the candidate was trained on.
        until: Windows after that time are left out; None: those whose labels are not due.
        share: The share of the rows that is scored, by hash.
    """

    rules: DecisionRules
    since: datetime | None = None
    until: datetime | None = None
    share: float = 1.0
    salt: str = "replay"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayProgress:
    """How far a replay is: windows whose rows are scored, of all, and rows scored in this run."""

    done: int
    windows: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReplay:
    """What a replay of a log found."""

    result: ReplayResult
    windows: tuple[CountedWindow, ...]
    scored: int
    failures: tuple[str, ...]


def replay_log(
    versions: Versions,
    request: ReplayRequest,
    scorer: Scorer,
    *,
    clock: Callable[[], datetime],
    progress: Callable[[ReplayProgress], None] = lambda _: None,
) -> LogReplay:
    """Score the logged requests of mature windows with the candidate, and compare both versions.

    Answers are kept as they come: a replay that was ended goes on where it was, and one that was done before scores
    nothing again.
    """
    since = _since(versions, request)
    champion, plan = champion_log(versions), plan_of(versions.config)
    now, horizon = clock(), request.rules.horizon
    everything = windows_of(champion, plan, since=None, until=request.until)
    if not everything:
        _no_rows(versions)
    usable = [window for window in everything if window.start >= since]
    due = due_windows(usable, window_wait(versions.config, request.rules), now)
    chosen = ChosenByHash(request.salt, request.share)
    folder = answers_folder(versions.config, versions, bundle_digest(versions.bundle))
    with CandidateLog(folder, versions, clock=clock) as answers:
        work = Answering(champion, scorer, answers)
        for number, window in enumerate(due):
            work.answer(window.window, chosen, partial(_say, progress, work, number, len(due)))
            _say(progress, work, number + 1, len(due))
    paired = PairedLog(versions, champion, folder, horizon=horizon)
    measures = measures_of(versions, request.rules)
    counted, measures = count_windows(paired, due, measures, chosen, fresh=True)
    evidence = [counted_window.evidence for counted_window in counted]
    notes = _notes(everything, usable, due, since)
    result = ReplayResult(
        result=evaluate(evidence, measures, request.rules, share_obstacles(counted)),
        measures=measures,
        evidence=tuple(evidence),
        notes=notes,
    )
    return LogReplay(result=result, windows=tuple(counted), scored=work.rows, failures=tuple(work.failures))


def _say(progress: Callable[[ReplayProgress], None], work: Answering, done: int, windows: int) -> None:
    progress(ReplayProgress(done=done, windows=windows, rows=work.rows))


def _since(versions: Versions, request: ReplayRequest) -> datetime:
    """From when on windows count; BadInput where it is not known on which rows the candidate was trained."""
    until = versions.trained_until
    if until is None:
        raise BadInput(
            "It is not known which rows the candidate was trained on.",
            got=f"version {versions.candidate} of {versions.config.model.name}, whose manifest does not say",
            expected="the time before which rows had a part in it: a model is better on rows that it has seen",
            fix="Say it: --trained-until 2026-04-05; or write trained_until in the [rollout] section.",
        )
    return until if request.since is None else max(until, request.since)


def _notes(everything: list[Window], usable: list[Window], due: list[MatureWindow], since: datetime) -> tuple[str, ...]:
    notes = []
    if len(usable) < len(everything):
        notes.append(
            f"{len(everything) - len(usable)} windows before {since:%Y-%m-%d %H:%M} UTC were left out: the candidate "
            "was trained until then."
        )
    if len(due) < len(usable):
        notes.append(f"{len(usable) - len(due)} windows are not mature: their labels are not due yet.")
    return tuple(notes)


def _no_rows(versions: Versions) -> NoReturn:
    raise BadInput(
        "The traffic log has no rows of the champion.",
        got=f"no row of {versions.config.model.name} version {versions.champion}",
        expected="requests that it has answered",
        fix="Name the version that answered: --champion; `pitfalls traffic DIR` lists them.",
    )


def save_replay(
    store: Store, versions: Versions, request: ReplayRequest, replay: LogReplay, author: Author, started: datetime
) -> RolloutRecord:
    """Add a replay to the store, with its windows."""
    result = replay.result.result
    times = {"since": request.since, "until": request.until, "trained_until": versions.trained_until}
    more: dict[str, Any] = {name: iso(moment) for name, moment in times.items()}
    settings = settings_text(request.rules, **more, **({UNSERVED: True} if versions.is_unserved else {}))
    record = RolloutRecord(
        name=versions.config.name,
        model=versions.config.model.name,
        champion=versions.champion,
        candidate=versions.candidate,
        mode="replay",
        share=request.share,
        salt=request.salt,
        settings=settings,
        state="finished",
        started_at=started,
        ended_at=max(author.clock(), started),
        by=author.by,
        release=author.release,
        scale=replay.result.measures.scale,
        result=result,
    )
    windows = [(window.evidence.start, window.evidence.end, window.text()) for window in replay.windows]
    event = RolloutEvent(
        at=max(author.clock(), started), kind="finished", by=author.by, text=f"Replayed: {result.verdict}."
    )
    return store.rollouts.read(store.rollouts.add_replay(record, windows, event))
