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
from monitoring.records import IncidentRecord, RolloutRecord
from monitoring.sentences.incident_text import incident_text
from monitoring.store.overview import DeploymentSummary
from monitoring.store.runs import MonitorRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One deployment of the overview, before its history is read.

    Attributes:
        unread: Why its config or its store cannot be read, and it is shown as it was read last; empty where they can.
    """

    store: str
    summary: DeploymentSummary
    standing: Standing
    unread: str = ""
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
    """The deployments in use of some stores, stores that cannot be read, monitors that never worked, and rollouts.

    Attributes:
        readable: The stores that can be read: the others are asked for nothing more.
    """

    candidates: tuple[Candidate, ...]
    unreadable: tuple[tuple[NamedStore, PitfallsError], ...]
    never_worked: tuple[tuple[NamedStore, MonitorRecord], ...] = ()
    rollouts: tuple[tuple[str, RolloutRecord], ...] = ()
    readable: tuple[NamedStore, ...] = ()


def entry_of(
    store: str,
    summary: DeploymentSummary,
    now: datetime,
    *,
    earlier: int = 0,
    ownership: Ownership | None = None,
    unread: str = "",
) -> Entry:
    """One deployment.

    Args:
        ownership: Its team and tags; None where they are not known.
        unread: Why its config or its store cannot be read; empty where they can.
    """
    return Entry(
        store=store,
        summary=summary,
        standing=standing(summary, now, unread),
        earlier=earlier,
        ownership=ownership or Ownership(),
        unread=unread,
    )


def missing_configs(files: Sequence[ConfigFile]) -> dict[tuple[str, str], str]:
    """What is said of the configs that are missing, by the URL of their store and the name of their deployment."""
    return {
        (file.config.store.url, file.config.name): f"The config {file.name} is missing. {file.problem}"
        for file in files
        if file.config is not None and file.is_missing
    }


def read_roster(stores: Sequence[NamedStore], now: datetime, files: Sequence[ConfigFile] = ()) -> Roster:
    """Read what decides the place of every deployment. Cost: some 40 µs for each.

    Args:
        files: The configs as they are now: a deployment whose config is missing is failing.
    """
    missing = missing_configs(files)
    readable: list[NamedStore] = []
    all_candidates: list[Candidate] = []
    unreadable: list[tuple[NamedStore, PitfallsError]] = []
    never: list[tuple[NamedStore, MonitorRecord]] = []
    rollouts: list[tuple[str, RolloutRecord]] = []
    for store in stores:
        reading = store.reading()
        problem = "" if reading.problem is None else _unreadable(reading.problem)
        reasons = {
            outline.name: " ".join(filter(None, (missing.get((store.url, outline.name)), problem)))
            for outline in reading.outlines
        }
        all_candidates += candidates(store.name, reading.outlines, store.owners(), now, reasons)
        names = {outline.name for outline in reading.outlines}
        never += [(store, deployment) for deployment in reading.failing if deployment.name not in names]
        rollouts += [(store.name, rollout) for rollout in reading.rollouts]
        if reading.problem is None:
            readable.append(store)
        else:
            unreadable.append((store, reading.problem))
    return Roster(
        candidates=tuple(all_candidates),
        unreadable=tuple(unreadable),
        never_worked=tuple(never),
        rollouts=tuple(rollouts),
        readable=tuple(readable),
    )


def _unreadable(problem: PitfallsError) -> str:
    return f"The store cannot be read, and this is what it said last. {problem}"


def _says(incident: IncidentRecord, text: str) -> bool:
    """Whether an incident says something, or is about such a slice, whatever the case."""
    said = incident_text(incident)
    return any(text.casefold() in words.casefold() for words in (said.cause, said.message, incident.slice))


def mentioning(stores: Sequence[NamedStore], text: str) -> frozenset[Place]:
    """The deployments with an open incident that has a text; none where a store cannot be read."""
    places: set[Place] = set()
    for store in stores if text else ():
        try:
            every = store.store().overview.open_incidents()
        except PitfallsError:
            continue
        places |= {(store.name, number) for number, open_ in every.items() if any(_says(one, text) for one in open_)}
    return frozenset(places)


def read_entries(roster: Roster, shown: Sequence[Candidate], now: datetime, shown_in: str = "") -> tuple[Entry, ...]:
    """Read the deployments that a page shows, with their sentences; where a store cannot be read, as they were last.

    Args:
        shown_in: The time zone of their sentences; empty: that of each deployment.
    """
    unreadable = {store.name for store, _ in roster.unreadable}
    numbers: dict[str, list[int]] = {}
    for candidate in shown:
        numbers.setdefault(candidate.store, []).append(candidate.outline.number)
    read: dict[Place, DeploymentSummary] = {}
    reasons: dict[str, str] = {}
    for store in (*roster.readable, *(store for store, _ in roster.unreadable)):
        of_store = numbers.get(store.name, ())
        summaries = store.last_summaries(of_store)
        if of_store and store.name not in unreadable:
            try:
                found = store.store().overview.some_summaries(of_store)
                summaries = {summary.number: summary for summary in found}
            except PitfallsError as error:  # it could be read a moment ago
                reasons[store.name] = _unreadable(error)
        read |= {(store.name, number): replace(summary, shown_in=shown_in) for number, summary in summaries.items()}
    return tuple(
        entry_of(
            candidate.store,
            read[candidate.place],
            now,
            earlier=candidate.outline.earlier,
            ownership=candidate.ownership,
            unread=candidate.unread or reasons.get(candidate.store, ""),
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
