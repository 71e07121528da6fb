"""A drill: each fault planted in replayed traffic of a deployment, judged by its own monitor."""

from __future__ import annotations

import math
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from monitoring.config import MonitorConfig
from monitoring.config.sections import HeartbeatSection, RetentionSection, StoreSection
from monitoring.deployment.deployment import Deployment, deploy, evidence_basis
from monitoring.deployment.deployment_lookup import look_up_deployment
from monitoring.distribution import installed_version
from monitoring.drills.clean_windows import CleanWindows, clean_windows, next_start
from monitoring.drills.faults.catalogue import faults_named, fitting
from monitoring.drills.faults.fault import Fault, FaultScope
from monitoring.drills.replayed_traffic import ReplayedTraffic
from monitoring.drills.timeline import Timeline, draw_timeline, lead_length
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.records import FACT_WATCH, DrillRecord, DrillRun, FaultResult, IncidentRecord, Level, WindowRecord
from monitoring.runs.run import ExternalServices, is_news, judge_windows
from monitoring.runs.run_request import DueRequest, Progress
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from monitoring.watches.descriptions import format_value, lower_first, watch_title
from monitoring.watches.embedding import Embedder


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """An incident that was opened, or became worse.

    Attributes:
        window: The place of that window among those of the run, the first is 1.
    """

    incident: IncidentRecord
    start: datetime
    window: int

    @property
    def key(self) -> tuple[Level, str, str]:
        """What is told again where the same happens by chance without the fault."""
        return self.incident.level, self.incident.watch, self.incident.slice


def detections_in(window: Progress) -> list[Detection]:
    """The incidents that a window opened or made worse."""
    return [
        Detection(incident=incident, start=window.window.start, window=window.done)
        for incident in window.changed
        if is_news(incident, window.window.end)
    ]


class ReplayJob:
    """Judges replayed traffic as the deployment would be judged: same engine, config and budget, nobody notified."""

    def __init__(self, config: MonitorConfig, deployment: Deployment, folder: Path) -> None:
        """Nothing is judged yet."""
        self._deployment, self._folder = replace(deployment, team=None), folder  # alone: by its own budget
        self._config = config.model_copy(
            update={"notify": (), "action": (), "heartbeat": HeartbeatSection(), "retention": RetentionSection()}
        )

    def judge(
        self,
        name: str,
        traffic: ReplayedTraffic,
        now: datetime,
        *,
        after: str | None = None,
        judged: Callable[[Progress], None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> int:
        """Judge what is due at a time.

        Args:
            after: The name of the store that this one begins as a copy of; None: empty.
        """
        path = self._path(name)
        if after is not None:
            shutil.copy(self._path(after), path)
        config = self._config.model_copy(update={"store": StoreSection(url=f"sqlite:///{path}")})
        moment = now + self._deployment.plan.lateness

        services = ExternalServices(
            moved=True, deploy=lambda _config, _embedder: self._deployment, open_traffic=lambda: traffic
        )
        with Store.open(config.store.url) as store:
            request = DueRequest(stop=stop, progress=judged, sensitivity=False)
            return judge_windows(config, store, request, clock=lambda: moment, services=services).judged

    def forget(self, name: str) -> None:
        """Delete a store."""
        for path in self._folder.glob(f"{name}.db*"):
            path.unlink()

    def named_input(self, incident: IncidentRecord) -> str:
        """The input that an incident names first; empty where it names none."""
        return next(self._named(incident), "")

    def _named(self, incident: IncidentRecord) -> Iterator[str]:
        spec = self._deployment.baseline.spec
        inputs = {feature.name for feature in spec.features} - spec.of_outputs
        if incident.watch == FACT_WATCH:
            yield from (name for name in incident.subjects if name in inputs)
            return
        watch = self._deployment.reference_fit.watches.get(incident.watch)
        if watch is not None and watch.feature in inputs:
            yield watch.feature or ""
        if incident.detail.subgroup is not None:
            yield from (
                condition.input for condition in incident.detail.subgroup.conditions if condition.input in inputs
            )
        yield from (drift.input for drift in incident.detail.inputs if drift.input in inputs)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.db"


#: Windows before the fault: some weeks, after which what is usual is known.
LEAD = 28

#: Windows with the fault, and replicates, unless others are asked for.
WINDOWS = 30
REPLICATES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRequest:
    """What is drilled.

    Attributes:
        faults: The names of faults; none for all.
        windows: Windows with the fault, at most.
    """

    faults: tuple[str, ...] = ()
    windows: int = WINDOWS
    lead: int = LEAD
    replicates: int = REPLICATES
    seed: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillProgress:
    """How far a drill has come."""

    done: int
    runs: int
    result: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Replicate:
    """A timeline whose windows before the fault are judged, and what the monitor told in it without a fault."""

    number: int
    timeline: Timeline
    lead: str
    by_chance: tuple[Detection, ...]


def run_drill(
    config: MonitorConfig,
    store: Store,
    request: DrillRequest,
    *,
    clock: Callable[[], datetime],
    embedder: Embedder | None = None,
    progress: Callable[[DrillProgress], None] = lambda _: None,
) -> DrillRecord:
    """Plant each fault in replayed traffic, and see whether and when the deployment's own monitor tells.

    The job is the monitor's own, in temporary stores; of the deployment's store, traffic and labels nothing is changed.
    Each replicate is judged without a fault too: what the monitor tells there as well is no answer to a fault.

    Cost: that of judging the windows, in each replicate at most `lead + (faults + 1) * windows`; a run ends with the
    window in which the monitor tells.

    Args:
        embedder: Runs a bundle's model on tensors; None: the joint watch does not see them.
    """
    begun, faults = clock(), faults_named(request.faults)
    deployment = deploy(config, embedder)
    embedding = deployment.baseline.spec.embedding
    embed = embedder(deployment.bundle) if embedder is not None and embedding is not None else None
    clean = clean_windows(config, deployment, store, clock=clock, embed=embed)
    lead = lead_length(deployment.plan, deployment.burn_in, start=next_start(clean), least=request.lead)
    request, scope = replace(request, lead=lead), _scope(config, deployment, clean, request.windows)
    planned, unfit = fitting(faults, scope)
    promises = _promises(config, store, request.windows)
    with tempfile.TemporaryDirectory(prefix="pitfalls-drill-") as folder:
        job = ReplayJob(config, deployment, Path(folder))
        counter = _Counter(request.replicates * (len(planned) + 1), progress)
        drill = _Drill(job, deployment, clean, scope, request, counter)
        runs = drill.run(planned)
    return DrillRecord(
        name=config.name,
        version=deployment.version,
        basis=evidence_basis(config),
        at=begun,
        faults=tuple(_result(fault, runs[fault.name], promised=promises(fault)) for fault, _ in planned),
        unfit=unfit,
        **_record_fields(request, clean, drill.by_chance),
    )


def _scope(config: MonitorConfig, deployment: Deployment, clean: CleanWindows, windows: int) -> FaultScope:
    """What faults may be planted in, over so many windows."""
    length = deployment.plan.length_at(next_start(clean))
    return FaultScope(
        spec=deployment.baseline.spec,
        sample=clean.sample(),
        slices=config.traffic.slices,
        horizon=deployment.horizon,
        span=None if length is None else windows * length,
        length=length,
    )


def _record_fields(request: DrillRequest, clean: CleanWindows, by_chance: Sequence[Detection]) -> dict[str, Any]:
    """What a record says of a drill's making, and of what was told without a fault."""
    pages, notices = (sum(detection.incident.level == level for detection in by_chance) for level in ("page", "notice"))
    return {
        "by": request.by,
        "release": installed_version(),
        "seed": request.seed,
        "source": clean.source,
        "source_windows": len(clean.windows),
        "source_start": clean.windows[0].window.start,
        "source_end": clean.windows[-1].window.end,
        "lead": request.lead,
        "windows": request.windows,
        "replicates": request.replicates,
        "false_pages": pages,
        "false_notices": notices,
    }


def _promises(config: MonitorConfig, store: Store, windows: int) -> Callable[[Fault], bool]:
    """Which faults are no smaller than the rise of the error rate that is detected within so many windows."""
    number = look_up_deployment(config, store).number
    sensitivities = () if number is None else store.deployments.sensitivity(number)
    rises = [
        sensitivity.rise
        for sensitivity in sensitivities
        if sensitivity.metric == "error" and not sensitivity.slice and sensitivity.windows <= windows
    ]
    detected = min((rise for rise in rises if rise is not None), default=float("inf"))
    return lambda fault: fault.rise is None or fault.rise >= detected


def _result(fault: Fault, runs: Sequence[DrillRun], *, promised: bool) -> FaultResult:
    return FaultResult(
        fault=fault.name,
        title=fault.title,
        what=fault.what,
        touches=fault.touches,
        level=fault.level,
        promised=promised,
        runs=tuple(runs),
    )


class _Counter:
    """Counts runs."""

    def __init__(self, runs: int, progress: Callable[[DrillProgress], None]) -> None:
        self._runs, self._progress, self._done = runs, progress, 0

    def count(self, result: str) -> None:
        """One more run is done."""
        self._done += 1
        self._progress(DrillProgress(done=self._done, runs=self._runs, result=result))


class _Drill:
    """The replicates of a drill, one after the other."""

    def __init__(
        self,
        job: ReplayJob,
        deployment: Deployment,
        clean: CleanWindows,
        scope: FaultScope,
        request: DrillRequest,
        counter: _Counter,
    ) -> None:
        self._job, self._deployment, self._clean = job, deployment, clean
        self._scope, self._request, self._counter = scope, request, counter
        self.by_chance: list[Detection] = []

    def run(self, planned: Sequence[tuple[Fault, tuple[str, ...]]]) -> dict[str, list[DrillRun]]:
        """Run everything; the runs by fault."""
        runs: dict[str, list[DrillRun]] = {fault.name: [] for fault, _ in planned}
        for number in range(self._request.replicates):
            replicate = self._replicate(number)
            for fault, targets in planned:
                rng = self._rng(fault.name)
                target = targets[int(rng.permutation(len(targets))[number % len(targets)])]
                done = self._plant(replicate, fault, target)
                runs[fault.name].append(done)
                self._counter.count(f"{fault.title}{f' in {target}' if target else ''}: {_run_text(done)}")
            self._job.forget(replicate.lead)
        return runs

    def _replicate(self, number: int) -> _Replicate:
        """Draw a timeline, and judge it without a fault; the store before the planting stays."""
        timeline = draw_timeline(
            self._clean.windows,
            self._deployment.plan,
            start=next_start(self._clean),
            sizes=(self._request.lead, self._request.windows),
            rng=self._rng("timeline", number),
        )
        lead, lead_detections = f"lead-{number}", list[Detection]()
        before = ReplayedTraffic(timeline.before, self._scope.spec, known_until=timeline.planted_at)
        self._job.judge(
            lead, before, timeline.planted_at, judged=lambda window: lead_detections.extend(detections_in(window))
        )
        after: list[Detection] = []
        whole = ReplayedTraffic(timeline.changed(lambda rows, _window: rows), self._scope.spec)
        self._job.judge(
            "clean", whole, timeline.end, after=lead, judged=lambda window: after.extend(detections_in(window))
        )
        self._job.forget("clean")
        self.by_chance += [*lead_detections, *after]
        causes = "; ".join(
            f"{detection.incident.level}, {incident_text(detection.incident).cause}"
            for detection in (*lead_detections, *after)
        )
        self._counter.count(f"no fault: {causes or 'nothing told'}")
        return _Replicate(number=number, timeline=timeline, lead=lead, by_chance=tuple(after))

    def _plant(self, replicate: _Replicate, fault: Fault, target: str) -> DrillRun:
        """Judge a timeline with a fault until the monitor tells."""
        rng = self._rng(fault.name, replicate.number)
        rows = replicate.timeline.changed(
            lambda rows, window: fault.plant(rows, target, replace(self._scope, window=window), rng)
        )
        first: dict[Level, Detection] = {}

        windows: list[WindowRecord] = []

        def judged(window: Progress) -> None:
            windows.append(window.window)
            for detection in detections_in(window):
                chance = any(
                    other.key == detection.key and other.start <= detection.start for other in replicate.by_chance
                )
                if not chance:
                    first.setdefault(detection.incident.level, detection)

        def enough() -> bool:
            return "page" in first or fault.level in first

        traffic = ReplayedTraffic(rows, self._scope.spec)
        end = replicate.timeline.end
        self._job.judge("fault", traffic, end, after=replicate.lead, judged=judged, stop=enough)
        self._job.forget("fault")
        detection = first.get("page") or first.get("notice")
        if detection is None:
            nearest = nearest_to(fault.level, windows, self._deployment.reference_fit)
            return DrillRun(replicate=replicate.number, column=target, nearest=nearest)
        incident = detection.incident
        return DrillRun(
            replicate=replicate.number,
            column=target,
            level=incident.level,
            delay=detection.window,
            watch=incident.watch,
            slice=incident.slice,
            cause=incident_text(incident).cause,
            named=self._job.named_input(incident),
        )

    def _rng(self, name: str, number: int = 0) -> np.random.Generator:
        """A generator by the seed, what is drawn, and a number: no draw depends on which faults are asked for."""
        return np.random.default_rng([self._request.seed, zlib.crc32(name.encode()), number])


def _run_text(run: DrillRun) -> str:
    if run.level is None:
        return "not detected"
    return f"{run.level} in window {run.delay}: {run.cause}"


def nearest_to(level: Level, windows: Sequence[WindowRecord], fit: ReferenceFit) -> str:
    """How near the windows with a fault came to the page or notice that it should be.

    Returns:
        The largest evidence for it beside its threshold, and for a page the window with the largest value of the first
        loss beside what pages in one window, and whether harm is suspected; empty without windows.
    """
    if not windows:
        return ""
    evidence = [window.page_log_evidence if level == "page" else window.notice_log_evidence for window in windows]
    number = int(np.argmax(evidence))
    threshold = fit.tests[level].budget.threshold
    reached = math.exp(evidence[number])
    parts = [f"evidence for a {level} {reached:,.3g} of {threshold:,.0f} in window {number + 1}"]
    if level == "notice":
        return parts[0]
    key, limit = next(iter(fit.facts.losses.items()), (None, None))
    if key is None or limit is None:
        return parts[0]
    values = [
        (score.value, score.rows, at)
        for at, window in enumerate(windows, start=1)
        for score in window.scores
        if score.level == "page" and (score.watch, score.slice) == (key.watch, key.slice) and score.value is not None
    ]
    suspected = next((at for at, window in enumerate(windows, start=1) if window.status == "suspected"), None)
    if suspected is not None:
        parts.append(f"harm is suspected from window {suspected} on")
    if values:
        value, rows, at = max(values)
        least = limit.watch.value(limit.smallest_page(rows, limit.limit.highest, fit.facts.alpha))
        title = lower_first(watch_title(key.watch))
        parts.append(
            f"{title} {format_value(key.watch, value)} in window {at}, where one window of {rows:,} rows pages "
            f"above {format_value(key.watch, least)}"
        )
    return "; ".join(reversed(parts))
