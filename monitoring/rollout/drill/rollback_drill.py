"""Promotes bad versions by force in logged traffic, and sees whether each is taken back, and after how many rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import Predictions
from monitoring.config.rollout_section import DecideSection
from monitoring.errors import BadInput
from monitoring.judging.window.label_join import LabelJoin
from monitoring.records import RolloutRecord, RolloutResult
from monitoring.rollout.decision_rules import LATENCY, DecisionRules
from monitoring.rollout.drill.bad_versions import BadVersion, Floats, noisy
from monitoring.rollout.evaluation import evaluate
from monitoring.rollout.evidence.assignment import assigned
from monitoring.rollout.life import next_step
from monitoring.rollout.log.evidence_job import MatureWindow, due_windows, measures_of, plan_of, window_wait
from monitoring.rollout.log.paired_log import champion_log, windows_of
from monitoring.rollout.log.versions import Versions
from monitoring.rollout.pairs import PairedRows, WindowEvidence
from monitoring.rollout.rollout_settings import settings_text
from monitoring.rollout.scoring import Scorer
from monitoring.timestamps import duration_microseconds
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.windows import Window

#: Rows of a window that are drawn at most, by a hash of their ids.
MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest:
    """What is drilled."""

    rules: DecisionRules
    decide: DecideSection
    versions: Sequence[BadVersion]
    replicates: int = 3
    equal: int = 40
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRun:
    """One promotion.

    Attributes:
        difference: The loss of the promoted version less that of the former one over these.
        harms: Whether that is more than the smallest difference that matters.
        by: What was worse by more than its limit: loss, or names of guards.
        needed: About how many rows more a verdict takes; None where it is there, or where that is not known.
    """

    since: datetime
    rolled_back: bool
    windows: int
    rows: int
    difference: float
    harms: bool
    by: tuple[str, ...]
    needed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRuns:
    """All promotions of one bad version.

    Attributes:
        runs: The promotions; none where the model has nothing that it could be wrong with.
    """

    name: str
    what: str
    runs: tuple[RollbackRun, ...]

    @property
    def outcome(self) -> str:
        """In a few words: rolled back each time; missed, where it did more harm than matters; or harmless."""
        if not self.runs:
            return "does not fit"
        missed = [run for run in self.runs if not run.rolled_back]
        if not missed:
            return "rolled back"
        return "missed" if any(run.harms for run in missed) else "no harm that matters"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackDrill:
    """The result of a drill."""

    model: str
    version: int
    windows: int
    bad: tuple[VersionRuns, ...]
    equal: tuple[RollbackRun, ...]
    wrong: float


#: Gives the answers, [n, width] each, of the former and of the promoted version to rows; None where it does not fit.
_Sides: TypeAlias = Callable[["_Rows"], tuple[Floats, Floats] | None]


def drill_rollbacks(
    versions: Versions,
    scorer: Scorer,
    request: RollbackRequest,
    *,
    now: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> RollbackDrill:
    """Promote versions by force, each at several times of the logged traffic.

    The former version's answers are the logged ones; a version that is bad by its preprocessing is the same model on
    changed inputs. Evidence, guards and the decision are those of a rollout that watches a promotion; latency is not
    compared. Pairs that are equally good have the logged answers and noisy ones, in each row by a coin's fall.

    Returns:
        The result. Cost: for each version and time the model's answers to the rows until it is taken back.
    """
    _check(versions)
    traffic, watch = _Traffic(versions, request.rules, now), _Watch(versions, request)
    starts, windows = traffic.starts(request.decide.watch_after, request.replicates)
    runs: dict[str, list[RollbackRun]] = {version.name: [] for version in request.versions}
    equal: list[RollbackRun] = []
    for place, start in enumerate(starts):
        spans = traffic.rows(start, windows)
        for number, version in enumerate(request.versions):
            sides = _BadSides(versions, scorer, version, np.random.default_rng((request.seed, place, number)))
            runs[version.name] += watch.run(spans, sides)
        for number in range(place, request.equal, len(starts)):
            rng = np.random.default_rng((request.seed, place, len(request.versions) + number))
            equal += watch.run(spans, partial(_equal_sides, rng))
        progress(f"[{place + 1}/{len(starts)}] Promoted on {spans[0].window.start:%Y-%m-%d}")
    return RollbackDrill(
        model=versions.config.model.name,
        version=versions.champion,
        windows=windows,
        bad=tuple(
            VersionRuns(name=version.name, what=version.what, runs=tuple(runs[version.name]))
            for version in request.versions
        ),
        equal=tuple(equal),
        wrong=request.rules.wrong,
    )


def _check(versions: Versions) -> None:
    if not versions.task.classes and not versions.task.number_names:
        raise BadInput(
            "This drill is of classes and numbers.",
            got=f"a model of {type(versions.task).__name__}",
            expected="one output of probabilities or numbers",
            fix="`pitfalls drill run` plants faults for any model.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The rows of a window as the monitor has them, with the labels that count, and as they were logged."""

    window: Window
    predictions: Predictions
    logged: pa.Table


class _Traffic:
    """The windows of the version in use whose labels are due."""

    def __init__(self, versions: Versions, rules: DecisionRules, now: datetime) -> None:
        self._source = champion_log(versions)
        windows = windows_of(self._source, plan_of(versions.config), since=None, until=now)
        self._due = due_windows(windows, window_wait(versions.config, rules), now)
        horizon_us = duration_microseconds(rules.horizon)
        self._labels = LabelJoin(self._source.label_parts(), task=versions.task, read=0, horizon_us=horizon_us)
        if not self._due:
            raise BadInput(
                "There is no window whose labels are due.",
                got=f"{len(windows)} windows of {versions.config.model.name} version {versions.champion}",
                expected="logged requests with labels",
                fix="Wait for labels, or shorten the horizon of the [rollout.decide] section.",
            )

    def starts(self, length: timedelta, replicates: int) -> tuple[list[int], int]:
        """The first windows of promotions, as far from each other as there is room, and how many windows each has."""
        first = self._due[0].window
        wanted = max(round(length / (first.end - first.start)), 1)
        windows = min(wanted, len(self._due))
        places = np.linspace(0, len(self._due) - windows, replicates).astype(int)
        return sorted(set(places.tolist())), windows

    def rows(self, start: int, windows: int) -> list[_Rows]:
        """The rows of windows, each a sample if they are many."""
        return [self._read(due) for due in self._due[start : start + windows]]

    def _read(self, due: MatureWindow) -> _Rows:
        predictions, _ = self._source.read(due.window)
        predictions = predictions.take(
            assigned("drill", predictions.ids, min(MOST_ROWS / max(len(predictions), 1), 1.0))
        )
        batch = self._labels.labelled(Batch.of(predictions), before=due.known_by)
        logged = self._source.log.read(
            model=self._source.model,
            version=self._source.version,
            start=due.window.start,
            end=due.window.end,
            ids=IdSet(predictions.ids),
        )
        order = (
            pc.index_in(predictions.ids, logged["prediction_id"].combine_chunks())
            if logged.num_rows
            else pa.array([], pa.int32())
        )
        return _Rows(
            window=due.window,
            predictions=predictions.labelled(batch.labels, batch.label_times),
            logged=logged.take(order),
        )


class _BadSides:
    """The answers of the version in use as they were logged, and those of a bad version."""

    def __init__(self, versions: Versions, scorer: Scorer, version: BadVersion, rng: np.random.Generator) -> None:
        self._output = versions.spec.output or versions.config.model.probabilities
        self._has_classes = bool(versions.task.classes) and versions.task.width > 1
        self._scorer = scorer
        self._version = version
        self._rng = rng

    def __call__(self, rows: _Rows) -> tuple[Floats, Floats] | None:
        """See `_Sides`."""
        answers = rows.predictions.probabilities
        if self._version.answers is not None:
            fits = self._has_classes or not self._version.of_classes
            return (answers, self._version.answers(answers, self._rng)) if fits and len(answers) else None
        if not rows.logged.num_rows or len(rows.logged["signature"].unique()) > 1:
            return None
        changed = self._version.inputs_of(rows.logged)
        if changed is None:
            return None
        scored = self._scorer.score(changed)
        probabilities = np.asarray(scored.outputs[self._output], dtype=np.float64).reshape(len(answers), -1)
        if probabilities.shape[1] == 1 < answers.shape[1]:
            probabilities = np.concatenate([1.0 - probabilities, probabilities], axis=1)
        probabilities[~scored.answered] = np.nan
        return answers, probabilities


def _equal_sides(rng: np.random.Generator, rows: _Rows) -> tuple[Floats, Floats] | None:
    answers = rows.predictions.probabilities
    if not len(answers):
        return None
    others = (
        noisy(answers, rng)
        if answers.shape[1] > 1
        else answers + np.nanstd(answers) * rng.standard_normal(answers.shape)
    )
    coins = rng.random((len(answers), 1)) < 0.5
    return np.where(coins, answers, others), np.where(coins, others, answers)


class _Watch:
    """Watches promotions as a rollout does."""

    def __init__(self, versions: Versions, request: RollbackRequest) -> None:
        guards = tuple(guard for guard in request.rules.guards if guard.name != LATENCY)
        self._rules = replace(request.rules, guards=guards)
        self._measures = measures_of(versions, self._rules)
        self._decide = request.decide.model_copy(update={"rollback": "auto"})
        self._record = RolloutRecord(
            name=versions.config.name,
            model=versions.config.model.name,
            champion=versions.champion,
            candidate=versions.candidate,
            mode="watch",
            share=1.0,
            salt="",
            settings=settings_text(self._rules),
            state="running",
            started_at=datetime.min,  # noqa: DTZ901 - set in each run
            by="drill",
            release="",
        )

    def run(self, spans: Sequence[_Rows], sides: _Sides) -> list[RollbackRun]:
        """Promote a version before the first of some windows.

        Returns:
            The promotion; none where the version does not fit the rows.
        """
        record = replace(self._record, started_at=spans[0].window.start)
        evidence: list[WindowEvidence] = []
        measures, result = self._measures, None
        for rows in spans:
            both = sides(rows)
            if both is None:
                continue
            pairs = PairedRows(rows=replace(rows.predictions, probabilities=both[0]), candidate=both[1])
            if not evidence:
                measures = replace(measures, scale=measures.scale_of(pairs))
            evidence.append(measures.window(rows.window, pairs))
            result = evaluate(evidence, measures, self._rules)
            if next_step(record, result, self._decide, rows.window.end).do == "roll back":
                return [self._run(record, result, rolled_back=True)]
        return [] if result is None else [self._run(record, result, rolled_back=False)]

    def _run(self, record: RolloutRecord, result: RolloutResult, *, rolled_back: bool) -> RollbackRun:
        loss = ("loss",) if result.interval.mean > result.min_effect else ()
        guards = tuple(guard.name for guard in result.guards if guard.interval.mean > guard.limit)
        return RollbackRun(
            since=record.started_at,
            rolled_back=rolled_back,
            windows=len(result.windows),
            rows=result.rows,
            difference=result.interval.mean,
            harms=result.interval.mean > result.min_effect,
            by=(*loss, *guards),
            needed=None if rolled_back or result.needed is None else result.needed.rows,
        )
