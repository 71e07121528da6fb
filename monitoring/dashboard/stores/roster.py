"""The deployments of all stores: what decides their place on a page, and those that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitoring.config.files import ConfigFile
from monitoring.dashboard.stores.candidates import Candidate, Place, candidates
from monitoring.dashboard.stores.named_store import NamedStore, Ownership
from monitoring.dashboard.stores.standing import Standing, standing
from monitoring.errors import PitfallsError
from monitoring.records import RolloutRecord
from monitoring.store.overview import DeploymentSummary
from monitoring.store.runs import MonitorRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One deployment of the overview, before its history is read."""

    store: str
    summary: DeploymentSummary
    standing: Standing
    earlier: int = 0
    ownership: Ownership = field(default_factory=Ownership)

    @property
    def address(self) -> str:
        """The path of its page."""
        return f"/d/{self.store}/{self.summary.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A config whose deployment cannot be shown, or whose last run failed, and why.

    Attributes:
        store: The store that cannot be read; empty where it is the config, or its runs.
    """

    config: str
    reason: str
    unreadable: bool = True
    store: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The deployments in use of some stores, stores that cannot be read, monitors that never worked, and rollouts."""

    candidates: tuple[Candidate, ...]
    unreadable: tuple[tuple[NamedStore, PitfallsError], ...]
    never_worked: tuple[tuple[NamedStore, MonitorRecord], ...] = ()
    rollouts: tuple[tuple[str, RolloutRecord], ...] = ()


def entry_of(
    store: str, summary: DeploymentSummary, now: datetime, *, earlier: int = 0, ownership: Ownership | None = None
) -> Entry:
    """One deployment. `ownership`: its team and tags; None where they are not known."""
    how = standing(summary, now)
    return Entry(store=store, summary=summary, standing=how, earlier=earlier, ownership=ownership or Ownership())


def read_roster(stores: Sequence[NamedStore], now: datetime) -> Roster:
    """Read what decides the place of every deployment. Cost: some 40 µs for each."""
    all_candidates: list[Candidate] = []
    unreadable: list[tuple[NamedStore, PitfallsError]] = []
    never: list[tuple[NamedStore, MonitorRecord]] = []
    rollouts: list[tuple[str, RolloutRecord]] = []
    for store in stores:
        reading = store.reading()
        all_candidates += candidates(store.name, reading.outlines, store.owners(), now)
        names = {outline.name for outline in reading.outlines}
        never += [(store, deployment) for deployment in reading.failing if deployment.name not in names]
        rollouts += [(store.name, rollout) for rollout in reading.rollouts]
        if reading.problem is not None:
            unreadable.append((store, reading.problem))
    return Roster(
        candidates=tuple(all_candidates),
        unreadable=tuple(unreadable),
        never_worked=tuple(never),
        rollouts=tuple(rollouts),
    )


def mentioning(stores: Sequence[NamedStore], text: str) -> frozenset[Place]:
    """The deployments with an open incident that has a text; none where a store cannot be read."""
    places: set[Place] = set()
    for store in stores if text else ():
        try:
            places |= {(store.name, number) for number in store.store().overview.mentioning(text)}
        except PitfallsError:
            continue
    return frozenset(places)


def read_entries(
    stores: Sequence[NamedStore], shown: Sequence[Candidate], now: datetime, shown_in: str = ""
) -> tuple[Entry, ...]:
    """Read the deployments that a page shows, with their sentences.

    Args:
        shown_in: The time zone of their sentences; empty: that of each deployment.
    """
    numbers: dict[str, list[int]] = {}
    for candidate in shown:
        numbers.setdefault(candidate.store, []).append(candidate.outline.number)
    read = {
        (store.name, summary.number): replace(summary, shown_in=shown_in)
        for store in stores
        if store.name in numbers
        for summary in store.store().overview.some_summaries(numbers[store.name])
    }
    return tuple(
        entry_of(
            candidate.store,
            read[candidate.place],
            now,
            earlier=candidate.outline.earlier,
            ownership=candidate.ownership,
        )
        for candidate in shown
        if candidate.place in read
    )


def failures(files: Sequence[ConfigFile], roster: Roster) -> tuple[Failure, ...]:
    """What cannot be read, or failed: configs, then stores. A store of configs that were not run yet need not be."""
    waiting = {file.path for file in files if file.is_waiting}
    return (
        *(
            Failure(config=file.name, reason=file.problem, unreadable=file.config is None)
            for file in files
            if file.problem
        ),
        *(
            Failure(
                config=", ".join(file.name for file in store.files) or store.name, reason=str(error), store=store.name
            )
            for store, error in roster.unreadable
            if not store.files or not all(file.path in waiting for file in store.files)
        ),
        *(
            Failure(
                config=monitor.name if (file := store.file_of(monitor.name)) is None else file.name,
                reason=f"No run has ever worked; {monitor.failures} have failed since "
                f"{monitor.first_run_at:%Y-%m-%d %H:%M} UTC. {monitor.error}",
                unreadable=False,
            )
            for store, monitor in roster.never_worked
            if (file := store.file_of(monitor.name)) is None or not file.problem
        ),
    )


def numbers_by_store(entries: Sequence[Entry]) -> dict[str, list[int]]:
    """The numbers of the deployments of each store."""
    numbers: dict[str, list[int]] = {}
    for entry in entries:
        numbers.setdefault(entry.store, []).append(entry.summary.number)
    return numbers
