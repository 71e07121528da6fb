"""The configs and stores that the dashboard shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from monitoring.config import MonitorConfig
from monitoring.config.files import ConfigFile
from monitoring.errors import CannotRun, PitfallsError
from monitoring.records import RolloutRecord
from monitoring.store.outlines import DeploymentOutline
from monitoring.store.overview import DeploymentSummary
from monitoring.store.runs import MonitorRecord
from monitoring.store.store import Store

Value = TypeVar("Value")


class TimedAnswer(Generic[Value]):
    """Asks one question at a time: while an answer is out, those who ask wait for that one."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self._lock = Lock()
        self._out: tuple[Event, list[Value]] | None = None

    def ask(self, function: Callable[[], Value], seconds: float) -> Value | None:
        """Ask, and wait."""
        with self._lock:
            out = self._out
            if out is None or out[0].is_set():
                out = self._out = (Event(), [])
                Thread(target=_answer, args=[function, *out], name="store", daemon=True).start()
        came, answers = out
        return answers[0] if came.wait(seconds) and answers else None


def _answer(function: Callable[[], Value], came: Event, answers: list[Value]) -> None:
    try:
        answers.append(function())
    finally:
        came.set()


#: Seconds that a database server may take to say how its deployments stand.
ANSWER_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Whose a deployment is, and what it is tagged with, as its config says."""

    team: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreReading:
    """What a store says of all its deployments in use, and of configs whose last run failed.

    Attributes:
        summaries: Those deployments by number, as they are shown while the store cannot be read.
        problem: Why the store cannot be read; the others are then what was read last. None where it can.
    """

    outlines: tuple[DeploymentOutline, ...] = ()
    summaries: dict[int, DeploymentSummary] = field(default_factory=dict)
    failing: tuple[MonitorRecord, ...] = ()
    rollouts: tuple[RolloutRecord, ...] = ()
    problem: PitfallsError | None = None


@dataclass(slots=True, kw_only=True)
class NamedStore:
    """A store and the configs that name it. The store is opened at its first use, and again after a failure."""

    name: str
    url: str
    files: tuple[ConfigFile, ...]
    _store: Store | None = None
    _configs: dict[str, MonitorConfig] | None = None
    _lock: Lock = field(default_factory=Lock)
    _reading: StoreReading = field(default_factory=StoreReading)
    _stamp: object = None
    _question: TimedAnswer[StoreReading] = field(default_factory=TimedAnswer)

    def reading(self) -> StoreReading:
        """What decides how each of its deployments stands, within `ANSWER_SECONDS`, whatever the database does.

        A file that has not changed is not read again. Cost: some 30 µs a deployment and 20 µs more
        for one that changed, or 10 µs a file.
        """
        if not self.url.startswith("sqlite:"):
            reading = self._question.ask(self._read, ANSWER_SECONDS)
            return replace(self._reading, problem=_slow(self.name)) if reading is None else reading
        stamp = file_stamp(Path(self.url.removeprefix("sqlite:///").partition("?")[0]))
        if stamp is None or stamp != self._stamp or self._reading.problem is not None:
            self._read()
            self._stamp = stamp
        return self._reading

    def _read(self) -> StoreReading:
        try:
            store = self.store()
            outlines = store.overview.outlines()
            reading = StoreReading(
                outlines=outlines,
                summaries=self._summaries(store, outlines),
                failing=store.monitors.failing(),
                rollouts=store.rollouts.current(),
            )
        except PitfallsError as error:
            reading = replace(self._reading, problem=error)
        self._reading = reading
        return reading

    def _summaries(self, store: Store, outlines: Sequence[DeploymentOutline]) -> dict[int, DeploymentSummary]:
        """The deployments by number, of which those that are as they were are not read again."""
        before = {outline.number: outline for outline in self._reading.outlines}
        changed = [outline.number for outline in outlines if before.get(outline.number) != outline]
        read = {summary.number: summary for summary in store.overview.some_summaries(changed)} if changed else {}
        known = self._reading.summaries | read
        return {outline.number: known[outline.number] for outline in outlines if outline.number in known}

    def last_summaries(self, numbers: Collection[int]) -> dict[int, DeploymentSummary]:
        """Some deployments as they were read last, without asking the store."""
        known = self._reading.summaries
        return {number: known[number] for number in numbers if number in known}

    def store(self) -> Store:
        """The opened store. Raises BadInput if there is none yet, CannotRun if it cannot be used."""
        with self._lock:
            if self._store is None:
                self._store = Store.open(self.url, make=False)
            return self._store

    def config_of(self, name: str) -> MonitorConfig | None:
        """The config of the deployment of that name, if one of the files is."""
        return self._by_name().get(name)

    def file_of(self, name: str) -> ConfigFile | None:
        """The file of the config of the deployment of that name, if one is; the first of several."""
        return next((file for file in self.files if file.config is not None and file.config.name == name), None)

    def owners(self) -> dict[str, Ownership]:
        """The teams and tags that configs name, by the deployment's name."""
        sections = {name: config.deployment for name, config in self._by_name().items()}
        return {
            name: Ownership(team=section.team or "", tags=section.tags)
            for name, section in sections.items()
            if section.team is not None or section.tags
        }

    def _by_name(self) -> dict[str, MonitorConfig]:
        """The configs by the deployment's name; of one name the first."""
        if self._configs is None:
            configs = [file.config for file in self.files[::-1] if file.config is not None]
            self._configs = {config.name: config for config in configs}
        return self._configs

    def close(self) -> None:
        """Close the store, if it was opened."""
        with self._lock:
            if self._store is not None:
                self._store.close()
            self._store = None


def named_stores(files: Sequence[ConfigFile]) -> tuple[NamedStore, ...]:
    """The stores that configs name, each once, in the order of the files."""
    by_url: dict[str, list[ConfigFile]] = {}
    for file in files:
        if file.config is not None:
            by_url.setdefault(file.config.store.url, []).append(file)
    names: set[str] = set()
    stores = []
    for url, named in by_url.items():
        config = named[0].config
        assert config is not None  # noqa: S101 - for the type checker: only those with a config are here
        name = _free(_plain(config.name), names)
        names.add(name)
        stores.append(NamedStore(name=name, url=url, files=tuple(named)))
    return tuple(stores)


def file_stamp(path: Path) -> tuple[int, ...] | None:
    """What tells one content of an SQLite file from another: its time and size, and those of its write-ahead log.

    Returns:
        The stamp; None where there is no file.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    try:
        log = path.with_name(path.name + "-wal").stat()
    except OSError:
        return (status.st_mtime_ns, status.st_size)
    return (status.st_mtime_ns, status.st_size, *((log.st_mtime_ns, log.st_size) if log.st_size else ()))


def _slow(name: str) -> CannotRun:
    return CannotRun(
        "The store does not answer.",
        got=f"no answer of {name} within {ANSWER_SECONDS:g} s",
        expected="a database that answers",
        fix="Look at the database server; what is shown is what it said last.",
    )


def _plain(name: str) -> str:
    """A name for addresses.

    >>> _plain("Flüge <b>"), _plain("…")
    ('fl-ge-b', 'store')
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "store"


def _free(name: str, names: set[str]) -> str:
    number = 1
    while (name if number == 1 else f"{name}-{number}") in names:
        number += 1
    return name if number == 1 else f"{name}-{number}"
