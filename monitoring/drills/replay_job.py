"""The monitor's own job over replayed traffic, in a store of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from monitoring.config import MonitorConfig
from monitoring.config.sections import HeartbeatSection, RetentionSection, StoreSection
from monitoring.drills.replayed_traffic import ReplayedTraffic
from monitoring.jobs.deployment import Deployment
from monitoring.jobs.run import ExternalServices, Progress, RunRequest, is_news, judge_windows
from monitoring.records import FACT_WATCH, IncidentRecord, Level
from monitoring.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An incident that was opened, or became worse.

    Attributes:
        incident: The incident.
        start: When the window begins in which it was.
        window: The place of that window among those of the run, the first is 1.
    """

    incident: IncidentRecord
    start: datetime
    window: int

    @property
    def key(self) -> tuple[Level, str, str]:
        """What is told again where the same happens by chance without the fault."""
        return self.incident.level, self.incident.watch, self.incident.slice


def told_by(window: Progress) -> list[Told]:
    """The incidents that a window opened or made worse."""
    return [
        Told(incident=incident, start=window.window.start, window=window.done)
        for incident in window.changed
        if is_news(incident, window.window.end)
    ]


class ReplayJob:
    """Judges replayed traffic as the deployment would be judged: same engine, config and budget, nobody notified."""

    def __init__(self, config: MonitorConfig, deployment: Deployment, folder: Path) -> None:
        """Nothing is judged yet.

        Args:
            folder: A folder for stores.
        """
        self._deployment, self._folder = replace(deployment, team=None), folder  # alone: by its own budget
        self._config = config.model_copy(
            update={
                "notify": (),
                "action": (),
                "heartbeat": HeartbeatSection(),
                "retention": RetentionSection(),
            }
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
            now: The time; the allowed lateness is waited for.
            after: The name of the store that this one begins as a copy of; None: empty.
            judged: Called after each window.
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
            request = RunRequest(stop=stop, progress=judged, sensitivity=False)
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
        inputs = {one.name for one in spec.features} - spec.of_outputs
        if incident.watch == FACT_WATCH:
            yield from (one for one in incident.inputs_of_fact if one in inputs)
            return
        watch = self._deployment.reference_fit.watches.get(incident.watch)
        if watch is not None and watch.feature in inputs:
            yield watch.feature or ""
        if incident.detail.subgroup is not None:
            yield from (one.input for one in incident.detail.subgroup.conditions if one.input in inputs)
        yield from (one.input for one in incident.detail.inputs if one.input in inputs)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.db"
