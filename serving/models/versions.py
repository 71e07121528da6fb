"""Loaded versions: how one takes over from another, and who finds which.

A new version is loaded and warmed up while the old one answers; the old one is let go when the new one is available
and its last request has been answered. A version that cannot be loaded is reported, and the old one goes on.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, final

from serving.models.runner import LoadError
from serving.models.version_folders import find_versions
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from serving.models.runner import Runner
    from serving.models.version_folders import ModelSource

# Versions that are over are listed in the status, so many of each model and no more.
ENDED_KEPT = 100


class VersionState(StrEnum):
    """Where a version is in its life; the names are those of ``tensorflow.serving.ModelVersionStatus``."""

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionStatus:
    """What is known about one version."""

    number: int
    state: VersionState
    code: Code = Code.OK
    message: str = ""


@final
class ServedVersion:
    """One loaded version. Whoever uses it holds a lease, and it is let go only when the last lease is given back."""

    def __init__(self, *, model: str, number: int, runner: Runner, path: Path) -> None:
        self.model = model
        self.number = number
        self.runner = runner
        self.path = path
        self._leases = 0
        self._retired = False
        self._given_back = threading.Condition()

    def take(self) -> bool:
        """Take a lease; False if the version is being let go already."""
        with self._given_back:
            self._leases += not self._retired
            return not self._retired

    def give_back(self) -> None:
        """Give one lease back."""
        with self._given_back:
            self._leases -= 1
            if self._retired and not self._leases:  # nobody waits before
                self._given_back.notify_all()

    def retire(self, *, patience_s: float) -> None:
        """Give no more leases, wait for those that are out (at most ``patience_s``), and free the model's memory."""
        with self._given_back:
            self._retired = True
            self._given_back.wait_for(lambda: not self._leases, timeout=patience_s)
        self.runner.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a version that cannot be loaded is tried again, as long as its files do not change."""

    count: int = 5
    interval_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSettings:
    """What holds for all models of a server."""

    retries: RetryPolicy = field(default_factory=RetryPolicy)
    newest_is_zero: bool = True
    """Whether version 0 means the newest where there is no version 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _LoadFailure:
    """A version that could not be loaded."""

    stamp: int
    tries: int
    at_s: float


@final
class Models:
    """All models of a server: `poll` brings them up to date with the disk, `lease` finds one for a request.

    ``poll`` blocks while it loads and belongs in a thread of its own; everything may be called from any thread.
    ``find`` gives what is wanted at the moment; what it names no longer is let go. ``load`` makes a ready (warmed-up)
    runner from a version's folder, or raises `LoadError`. ``report`` is told, in one sentence, whatever changes.
    ``patience_s`` bounds how long a version waits for its last answers; ``clock`` is in seconds.
    """

    def __init__(
        self,
        find: Callable[[], Sequence[ModelSource]],
        *,
        load: Callable[[Path], Runner],
        report: Callable[[str], None],
        patience_s: float = 60.0,
        rules: VersionSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._load = load
        self._report = report
        self._patience_s = patience_s
        used = rules or VersionSettings()
        self._retries = used.retries
        self._newest_is_zero = used.newest_is_zero
        self._clock = clock
        self._changing = threading.Lock()
        self._sources: dict[str, ModelSource] = {}
        self._served: dict[str, dict[int, ServedVersion]] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._statuses: dict[str, dict[int, VersionStatus]] = {}
        self._broken: dict[Path, _LoadFailure] = {}

    def poll(self) -> None:
        """Look at the disk once; load what is new and wanted, let go what no longer is.

        Raises what ``find`` does; nothing has changed then.
        """
        with self._changing:
            sources = {source.name: source for source in self._find()}
            gone = self._sources.keys() - sources.keys()
            self._sources = {name: self._sources[name] for name in gone} | sources
            for source in sources.values():
                self._update(source)
            for name in gone:
                for number in tuple(self._served.get(name, ())):
                    self._let_go(name, number)
                self._labels.pop(name, None)
            self._sources = sources

    def close(self) -> None:
        """Let every version go."""
        with self._changing:
            for name, versions in self._served.items():
                for number in list(versions):
                    self._let_go(name, number)

    @property
    def names(self) -> tuple[str, ...]:
        """Every model that is wanted, in the order of the names."""
        return tuple(sorted(self._sources))

    def knows(self, name: str) -> bool:
        """Whether there is such a model, loaded or not."""
        return name in self._sources

    def knows_versions(self, name: str) -> bool:
        """Whether any version of the model has been seen yet."""
        return bool(self._statuses.get(name))

    def source(self, name: str) -> ModelSource | None:
        """Where a model comes from and how its requests are to be logged; None if there is no such model."""
        return self._sources.get(name)

    def labels(self, name: str) -> Mapping[str, int]:
        """What versions of a model are called now. A label moves when the version it is to name answers."""
        return self._labels.get(name, {})

    @property
    def is_ready(self) -> bool:
        """Whether there is a model, and every one of them has a version that answers."""
        return bool(self._sources) and all(self._served.get(name) for name in self._sources)

    def available(self, name: str) -> tuple[int, ...]:
        """The versions of a model that answer, newest first."""
        return tuple(sorted(self._served.get(name, ()), reverse=True))

    def statuses(self, name: str, number: int | None = None) -> tuple[VersionStatus, ...]:
        """What is known of a model's versions (or of one), newest first, those let go included.

        Version 0 means all of them where there is no version 0, for the clients that `lease` makes room for.

        Raises:
            Failure: NOT_FOUND, with TensorFlow Serving's text.
        """
        known = self._statuses.get(name, {})
        if number is None or (number == 0 and self._newest_is_zero and known and 0 not in known):
            if not known:
                raise Failure(Code.NOT_FOUND, f"Could not find any versions of model {name}")
            return tuple(known[version] for version in sorted(known, reverse=True))
        if number not in known:
            raise Failure(Code.NOT_FOUND, f"Could not find version {number} of model {name}")
        return (known[number],)

    @contextmanager
    def lease(self, name: str, number: int | None = None, label: str | None = None) -> Iterator[ServedVersion]:
        """The asked-for version (by default the newest that answers), held while the block runs.

        Version 0 means the newest where no version 0 is loaded (unless that is switched off): some clients send it when
        they want the default.

        Raises:
            Failure: NOT_FOUND for the model or version, INVALID_ARGUMENT for the label, in TensorFlow Serving's words.
        """
        served = self.take(name, number, label)
        try:
            yield served
        finally:
            served.give_back()

    def take(self, name: str, number: int | None = None, label: str | None = None) -> ServedVersion:
        """As `lease`, for whoever does not wait in one place: the version must be given back by hand."""
        while True:
            versions = self._served.get(name, {})
            wanted = self._number_of(name, label) if label is not None and versions else number
            if wanted is None or (wanted == 0 and self._newest_is_zero and 0 not in versions):
                served = versions[max(versions)] if versions else None
            else:
                served = versions.get(wanted)
            if served is None:
                asked = f"Latest({name})" if wanted is None else f"Specific({name}, {wanted})"
                raise Failure(Code.NOT_FOUND, f"Servable not found for request: {asked}")
            if served.take():
                return served

    def _number_of(self, name: str, label: str) -> int:
        number = self._labels.get(name, {}).get(label)
        if number is None or number not in self._served.get(name, {}):
            raise Failure(Code.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}")
        return number

    def _update(self, source: ModelSource) -> None:
        found = find_versions(source.base)
        wanted = source.policy.choose(list(found))
        for number in wanted:
            self._try(source.name, number, found[number])
        for number in sorted(found, reverse=True):  # nothing wanted can be loaded: better an older one than none
            if source.policy.kind == "latest" and not self._served.get(source.name):
                self._try(source.name, number, found[number])
        answering = set(self._served.get(source.name, ()))
        self._label(source, answering)
        if answering & set(wanted) or not found:
            for number in answering - set(wanted):
                self._let_go(source.name, number)

    def _label(self, source: ModelSource, answering: set[int]) -> None:
        """Move labels to versions that answer; one whose version does not answer yet stays where it is."""
        before = self._labels.get(source.name, {})
        self._labels[source.name] = {
            label: number if number in answering else before.get(label, number)
            for label, number in source.labels.items()
        }

    def _try(self, name: str, number: int, path: Path) -> None:
        """Load a version unless it is there already, or was found broken and it is not time to try again."""
        before = self._served.get(name, {}).get(number)
        if before is not None and before.path == path:
            return
        stamp = _stamp(path)
        broken = self._broken.get(path)
        if broken is not None and broken.stamp == stamp:
            if broken.tries > self._retries.count or self._clock() - broken.at_s < self._retries.interval_s:
                return
        else:
            broken = None
        self._note(name, VersionStatus(number=number, state=VersionState.LOADING))
        try:
            runner = self._load(path)
        except LoadError as failed:
            tries = 1 if broken is None else broken.tries + 1
            self._broken[path] = _LoadFailure(stamp=stamp, tries=tries, at_s=self._clock())
            self._note(
                name, VersionStatus(number=number, state=VersionState.END, code=Code.UNKNOWN, message=str(failed))
            )
            self._report(f"Version {number} of {name} cannot be loaded: {failed}")
            return
        self._broken.pop(path, None)
        served = ServedVersion(model=name, number=number, runner=runner, path=path)
        self._served[name] = self._served.get(name, {}) | {number: served}
        self._note(name, VersionStatus(number=number, state=VersionState.AVAILABLE))
        self._report(f"Version {number} of {name} answers.")
        if before is not None:
            before.retire(patience_s=self._patience_s)

    def _let_go(self, name: str, number: int) -> None:
        served = self._served[name][number]
        self._note(name, VersionStatus(number=number, state=VersionState.UNLOADING))
        self._served[name] = {kept: one for kept, one in self._served[name].items() if kept != number}
        served.retire(patience_s=self._patience_s)
        self._note(name, VersionStatus(number=number, state=VersionState.END))
        self._report(f"Version {number} of {name} has been let go.")

    def _note(self, name: str, status: VersionStatus) -> None:
        # A new dict each time: readers in other threads see the old one or the new one, never one being changed.
        known = self._statuses.get(name, {}) | {status.number: status}
        ended = sorted(number for number, one in known.items() if one.state is VersionState.END)
        for number in ended[:-ENDED_KEPT]:
            del known[number]
        self._statuses[name] = known


def _stamp(path: Path) -> int:
    """When a version folder, its graph or its variables were last touched, in ns; 0 if it is gone."""
    variables = path / "variables"
    parts = (path, path / "saved_model.pb", variables, *variables.glob("*"))
    return max((one.stat().st_mtime_ns for one in parts if one.exists()), default=0)
