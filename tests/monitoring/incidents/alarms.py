"""Alarms made by hand: a small set of watches, and windows whose scores are given."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitoring.evidence.level import LevelReading, WatchReading
from monitoring.incidents.alarm import Alarm, DeploymentBaseline
from monitoring.incidents.cause import Cause
from monitoring.incidents.harm import PAGE
from monitoring.incidents.life_cycle import new_incident
from monitoring.records import SCORE_ONE, BaselineScore, Level, ScoreRecord, ScoreSum, Watch, WatchKey, WindowRecord
from monitoring.sentences.incident_text import IncidentText, incident_text
from monitoring.traffic.windows import Window

FIRST = datetime(2013, 4, 1, tzinfo=UTC)
ROWS = 100
LABELLED = ("performance", "material", "surprise", "calibration")
THRESHOLDS: Mapping[Level, float] = {"page": 365.0, "notice": 30.0}


def watch(name: str, family: str, **more: object) -> Watch:
    """A watch of that family, on pages unless it says otherwise."""
    said: dict[str, object] = {"level": "page", "needs_label": family in LABELLED, **more}
    return Watch(name=name, family=family, **said)  # type: ignore[arg-type]  # the caller names the fields


WATCHES = {
    one.name: one
    for one in (
        watch("brier", "performance"),
        watch("error", "performance"),
        watch("surprise_brier", "surprise", scale=2.0, offset=-1.0),
        watch("rank:late", "performance"),
        watch("material_brier", "material"),
        watch("calibration_slope", "calibration", direction="both", scale=2.0, offset=-1.0),
        watch("estimated_error", "estimates"),
        watch("missing:z", "integrity", feature="z"),
        watch("missing:comment.words", "integrity", feature="comment.words"),
        watch("unusable_answers", "integrity"),
        watch("output:late", "outputs", level="notice", direction="both"),
        watch("input:x:location", "inputs", level="notice", direction="both", feature="x"),
        watch("input:x:spread", "inputs", level="notice", direction="both", feature="x"),
        watch("input:y:location", "inputs", level="notice", direction="both", feature="y"),
        watch("joint", "joint", level="notice"),
        watch("embedding", "joint", level="notice"),
        watch("labelled:score=high", "labelled", level="notice", direction="both", scale=2.0, offset=-1.0),
    )
}
MEANS = {
    "brier": 0.15,
    "material_brier": 0.15,
    "rank:late": 0.25,
    "error": 0.2,
    "surprise_brier": 0.0,
    "joint": 0.5,
    "embedding": 0.5,
    "input:x:location": 0.5,
}


def baseline(
    *,
    losses: Mapping[WatchKey, ScoreSum] | None = None,
    cycle: str = "",
    without: Sequence[str] = (),
    slices: Sequence[str] = (),
) -> DeploymentBaseline:
    """All `WATCHES`, each with a baseline on the whole traffic and on the slices."""
    scores = {
        WatchKey(watch=name, slice=part): BaselineScore(
            level=one.level,
            watch=name,
            slice=part,
            mean=MEANS.get(name, 0.0),
            deviation=0.02,
            tolerance=0.1 if one.family == "material" else 0.01,
            windows=60,
            cycle=cycle,
        )
        for part in ("", *slices)
        for name, one in WATCHES.items()
        if name not in without
    }
    scores |= {key: replace(scores[WatchKey(watch=key.watch)], slice=key.slice) for key in losses or {} if key.slice}
    scores = {key: score for key, score in scores.items() if str(key) not in without}
    return DeploymentBaseline(
        scores=scores,
        losses=losses or {},
        watches=WATCHES,
        expected=lambda key, start: scores[key].mean,
        thresholds=THRESHOLDS,
        timezone="UTC",
    )


def window(day: int, scores: Mapping[str, float | None], *, rows: int = ROWS) -> WindowRecord:
    """A day's record; a score's name may carry a slice, as ``brier@origin=EWR``."""
    return WindowRecord(
        start=FIRST + timedelta(days=day),
        end=FIRST + timedelta(days=day + 1),
        rows=rows,
        labels=rows,
        labels_due=rows,
        labels_unknown=0,
        repeats=0,
        status="ok",
        page_log_evidence=0.0,
        notice_log_evidence=0.0,
        scores=tuple(
            ScoreRecord(
                level="page",
                watch=name.partition("@")[0],
                slice=name.partition("@")[2],
                rows=rows,
                value=value,
                log_evidence=0.0,
            )
            for name, value in scores.items()
        ),
    )


def windows(**series: Sequence[float | None]) -> tuple[WindowRecord, ...]:
    """One window a day with these scores; the names' double underscores stand for colons."""
    days = range(max(len(values) for values in series.values()))
    return tuple(window(day, {name.replace("__", ":"): values[day] for name, values in series.items()}) for day in days)


def reading(level: Level, evidence: Mapping[str, float], *, shares: Mapping[str, float] | None = None) -> LevelReading:
    """A level that has just reached its threshold, by each watch's evidence."""
    shown = shares or {name: value / sum(evidence.values()) for name, value in evidence.items()}
    ranked = sorted(shown.items(), key=lambda pair: -pair[1])
    return LevelReading(
        level=level,
        log_evidence=math.log(sum(evidence.values())),
        watches=tuple(
            WatchReading(key=WatchKey(watch=name), rows=ROWS, score=None, log_evidence=math.log(value))
            for name, value in evidence.items()
        ),
        shares=tuple((WatchKey(watch=name), share) for name, share in ranked),
        alarm=True,
    )


def alarm(
    top: str,
    found: Sequence[WindowRecord],
    *,
    against: DeploymentBaseline | None = None,
    notice: Mapping[str, float] | None = None,
    pairs: tuple[tuple[str, str], ...] = (),
    part: str = "",
) -> Alarm:
    """An alarm of the watch `top`, on a slice or the whole, which has three quarters of the evidence."""
    level = reading(WATCHES[top].level, {top: 300.0, "output:late" if top != "output:late" else "brier": 100.0})
    first, *others = level.shares
    return Alarm(
        reading=replace(level, shares=((WatchKey(watch=top, slice=part), first[1]), *others)),
        notice=reading("notice", notice or {"input:x:location": 2.0}),
        windows=tuple(found),
        baseline=against or baseline(),
        drifted_pairs=pairs,
    )


def loss_sum(rows: int, mean: float) -> ScoreSum:
    """So many rows of that mean loss."""
    return ScoreSum(rows, round(rows * mean * SCORE_ONE))


def said(cause: Cause) -> IncidentText:
    """What an incident of a cause says."""
    day = Window(start=FIRST, end=FIRST + timedelta(days=1))
    return incident_text(new_incident(cause, PAGE, day, recovery="", number=1))
