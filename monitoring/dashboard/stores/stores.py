"""The stores that the dashboard shows, at one moment, and a deployment of one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock
from typing import TypeVar

from monitoring.config import MonitorConfig
from monitoring.config.files import ConfigFile
from monitoring.dashboard.stores.candidates import Place
from monitoring.dashboard.stores.named_store import NamedStore, named_stores
from monitoring.dashboard.stores.roster import missing_configs
from monitoring.errors import BadInput, PitfallsError
from monitoring.service.workers import QueueState
from monitoring.store.overview import DeploymentSummary
from monitoring.store.store import Store
from monitoring.watches.descriptions import printable

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDeployment:
    """A deployment, with the store and the config that have it.

    Attributes:
        unread: Why its config cannot be read; empty where it can.
    """

    named: NamedStore
    store: Store
    summary: DeploymentSummary
    clock: Callable[[], datetime]
    unread: str = ""

    @property
    def number(self) -> int:
        """Its number in the store."""
        return self.summary.number

    @property
    def address(self) -> str:
        """The path of its view."""
        return f"/d/{self.named.name}/{self.number}"

    @property
    def config(self) -> MonitorConfig | None:
        """Its config; None where the dashboard does not have it."""
        return self.named.config_of(self.summary.record.called)

    @property
    def file(self) -> ConfigFile | None:
        """The file of its config; None where the dashboard does not have it."""
        return self.named.file_of(self.summary.record.called)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigCounts:
    """How many configs there are to be, how many of them are missing, and how many were not run yet."""

    expected: int = 0
    missing: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The stores that the dashboard shows.

    Attributes:
        queue: Gives the runs that wait and run; None where nobody runs any here.
        shown_in: The time zone in which the reader wants times; empty: that of each deployment, or UTC.
    """

    stores: tuple[NamedStore, ...]
    files: tuple[ConfigFile, ...] = ()
    expected: int = 0
    queue: Callable[[], QueueState] | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    shown_in: str = ""

    @property
    def configs(self) -> ConfigCounts:
        """How many configs there are."""
        present = sum(not file.is_missing for file in self.files)
        expected = max(self.expected, len(self.files))
        waiting = sum(file.is_waiting and not file.problem for file in self.files)
        return ConfigCounts(expected=expected, missing=expected - present, waiting=waiting)

    def store(self, name: str) -> NamedStore:
        """A store by its name. Raises BadInput if there is none."""
        return existing("store", next((store for store in self.stores if store.name == name), None), name)

    def deployment(self, place: Place) -> StoredDeployment:
        """A deployment, by its store's name and its number there. Raises BadInput if there is none."""
        name, number = place
        named = self.store(name)
        store = named.store()
        summary = existing("deployment", store.overview.summary(number), str(number))
        return StoredDeployment(
            named=named,
            store=store,
            summary=replace(summary, shown_in=self.shown_in),
            clock=self.clock,
            unread=missing_configs(self.files).get((named.url, summary.record.called), ""),
        )

    def fingerprint(self) -> str:
        """A text that changes with every run, window and action in any of the stores."""
        texts = []
        for named in self.stores:
            try:
                texts.append(named.store().overview.fingerprint())
            except PitfallsError as error:
                texts.append(str(error))
        return "\n".join(texts)


def existing(kind: str, value: Value | None, name: str) -> Value:
    """What there is by a name. Raises BadInput if that is nothing."""
    if value is None:
        raise BadInput(
            f"There is no such {kind}.",
            got=printable(name),
            expected=f"a {kind} of this dashboard",
            fix="Go back to the overview and choose from there.",
        )
    return value


class CurrentStores:
    """Gives the stores of the configs as they are now; stores stay open until a config changes."""

    def __init__(
        self,
        files: Callable[[], tuple[ConfigFile, ...]],
        *,
        expected: int = 0,
        queue: Callable[[], QueueState] | None = None,
    ) -> None:
        """Opens nothing yet. `queue`: gives the runs that wait and run; None where nobody runs any here."""
        self._files, self._expected, self._queue = files, expected, queue
        self._lock = Lock()
        self._stores = Stores(stores=(), files=())

    def __call__(self) -> Stores:
        """The stores as they are now."""
        files = self._files()
        with self._lock:
            before = self._stores
            if files is not before.files:
                same = _configs(files) == _configs(before.files)
                self._stores = Stores(
                    stores=before.stores if same else named_stores(files),
                    files=files,
                    expected=self._expected,
                    queue=self._queue,
                )
                if not same:
                    _close(before)
            return self._stores

    def fingerprint(self) -> str:
        """A text that changes with every run, window and action, and with the configs and their problems."""
        stores = self()
        return "\n".join((*(f"{file.path} {file.problem}" for file in stores.files), stores.fingerprint()))

    def close(self) -> None:
        """Close the stores."""
        _close(self._stores)


def _configs(files: tuple[ConfigFile, ...]) -> list[object]:
    return [(file.path, file.config) for file in files]


def _close(stores: Stores) -> None:
    for named in stores.stores:
        named.close()
