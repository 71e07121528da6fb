"""Version folders MODELS/NAME/N: which are wanted, which are loaded, and how one takes over from another.

A new version is loaded and warmed up while the old one answers; the old one is let go when the new one is available
and its last request has been answered. A version that cannot be loaded is reported, and the old one goes on.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, final

from monitoring.errors import BadInput
from serving.runner import LoadFailed
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from serving.runner import Runner

LARGEST_VERSION = 2**63 - 1


class State(StrEnum):
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
    state: State
    code: Code = Code.OK
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPolicy:
    """Which of the versions on disk are wanted.

    >>> VersionPolicy(kind="latest", count=2).choose([1, 7, 3])
    (7, 3)
    """

    kind: Literal["latest", "all", "specific"] = "latest"
    count: int = 1
    numbers: tuple[int, ...] = ()

    def choose(self, found: Sequence[int]) -> tuple[int, ...]:
        """The wanted versions, newest first."""
        newest_first = tuple(sorted(found, reverse=True))
        if self.kind == "latest":
            return newest_first[: max(1, self.count)]
        if self.kind == "all":
            return newest_first
        return tuple(number for number in newest_first if number in self.numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """Where one model's versions are, which are wanted, and what else they are called."""

    name: str
    base: Path
    policy: VersionPolicy = VersionPolicy()
    labels: Mapping[str, int] = field(default_factory=dict)


def discover(root: Path, labels: Mapping[str, Mapping[str, int]] | None = None) -> tuple[ModelSource, ...]:
    """Every NAME under ``root`` that holds a version folder, in the order of the names.

    Raises:
        BadInput: no such folder, or it holds versions itself instead of models.
    """
    if not root.is_dir():
        raise BadInput("No such models folder.", got=str(root), expected="a folder", fix="Pass --models DIR.")
    if find_versions(root):
        raise BadInput(
            "This folder is one model, not a folder of models.",
            got=str(root),
            expected="a folder whose children are named like models and hold numbered versions",
            fix=f"Pass its parent: --models {root.resolve().parent}",
        )
    children = sorted(child for child in root.iterdir() if child.is_dir() and not child.name.startswith("."))
    return tuple(
        ModelSource(name=child.name, base=child, labels=(labels or {}).get(child.name, {}))
        for child in children
        if find_versions(child)
    )


def find_versions(base: Path) -> dict[int, Path]:
    """The version folders in ``base``: children whose name is a number that fits 64 bits, ``00000123`` being 123."""
    try:
        children = sorted(base.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    numbered = {int(child.name): child for child in children if child.name.isascii() and child.name.isdecimal()}
    return {number: path for number, path in numbered.items() if number <= LARGEST_VERSION and path.is_dir()}


@final
class Served:
    """One loaded version. Whoever uses it holds a lease, and it is let go only when the last lease is given back."""

    def __init__(self, *, model: str, number: int, runner: Runner) -> None:
        self.model = model
        self.number = number
        self.runner = runner
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
            if not self._leases:
                self._given_back.notify_all()

    def retire(self, *, patience_s: float) -> None:
        """Give no more leases, wait for those that are out (at most ``patience_s``), and free the model's memory."""
        with self._given_back:
            self._retired = True
            self._given_back.wait_for(lambda: not self._leases, timeout=patience_s)
        self.runner.close()


@final
class Models:
    """All models of a server: `poll` brings them up to date with the disk, `lease` finds one for a request.

    ``poll`` blocks while it loads and belongs in a thread of its own; everything else may be called from any thread.
    ``load`` makes a ready (warmed-up) runner from a version's folder, or raises `LoadFailed`. ``report`` is told, in
    one sentence, whatever changes. ``patience_s`` bounds how long a version waits for its last answers.
    """

    def __init__(
        self,
        find: Callable[[], Sequence[ModelSource]],
        *,
        load: Callable[[Path], Runner],
        report: Callable[[str], None],
        patience_s: float = 60.0,
    ) -> None:
        self._find = find
        self._load = load
        self._report = report
        self._patience_s = patience_s
        self._sources: dict[str, ModelSource] = {}
        self._served: dict[str, dict[int, Served]] = {}
        self._statuses: dict[str, dict[int, VersionStatus]] = {}
        self._broken: dict[Path, int] = {}

    def poll(self) -> None:
        """Look at the disk once; load what is new and wanted, let go what no longer is."""
        sources = {source.name: source for source in self._find()}
        for name in self._sources.keys() - sources.keys():
            sources[name] = self._sources[name]  # its folder may be gone: `_update` lets its versions go
        self._sources = sources
        for source in sources.values():
            self._update(source)
        self._sources = {name: source for name, source in sources.items() if source.base.is_dir()}

    def close(self) -> None:
        """Let every version go."""
        for name, versions in self._served.items():
            for number in list(versions):
                self._let_go(name, number)

    @property
    def names(self) -> tuple[str, ...]:
        """Every model that has been seen, in the order of the names."""
        return tuple(sorted(self._sources))

    def knows(self, name: str) -> bool:
        """Whether there is such a model, loaded or not."""
        return name in self._sources

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
        if number is None or (number == 0 and known and 0 not in known):
            if not known:
                raise Failure(Code.NOT_FOUND, f"Could not find any versions of model {name}")
            return tuple(known[version] for version in sorted(known, reverse=True))
        if number not in known:
            raise Failure(Code.NOT_FOUND, f"Could not find version {number} of model {name}")
        return (known[number],)

    @contextmanager
    def lease(self, name: str, number: int | None = None, label: str | None = None) -> Iterator[Served]:
        """The asked-for version (by default the newest that answers), held while the block runs.

        Version 0 means the newest where no version 0 is loaded: some clients send it when they want the default.

        Raises:
            Failure: NOT_FOUND for the model or version, INVALID_ARGUMENT for the label, in TensorFlow Serving's words.
        """
        served = self.take(name, number, label)
        try:
            yield served
        finally:
            served.give_back()

    def take(self, name: str, number: int | None = None, label: str | None = None) -> Served:
        """As `lease`, for whoever does not wait in one place: the version must be given back by hand."""
        while True:
            versions = self._served.get(name, {})
            wanted = self._number_of(name, label) if label is not None and versions else number
            if wanted is None or (wanted == 0 and 0 not in versions):
                served = versions[max(versions)] if versions else None
            else:
                served = versions.get(wanted)
            if served is None:
                asked = f"Latest({name})" if wanted is None else f"Specific({name}, {wanted})"
                raise Failure(Code.NOT_FOUND, f"Servable not found for request: {asked}")
            if served.take():
                return served

    def _number_of(self, name: str, label: str) -> int:
        number = self._sources[name].labels.get(label)
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
        if answering & set(wanted) or not found:
            for number in answering - set(wanted):
                self._let_go(source.name, number)

    def _try(self, name: str, number: int, path: Path) -> None:
        """Load a version unless it is there already, or was found broken and has not been touched since."""
        stamp = _stamp(path)
        if number in self._served.get(name, {}) or self._broken.get(path) == stamp:
            return
        self._note(name, VersionStatus(number=number, state=State.LOADING))
        try:
            runner = self._load(path)
        except LoadFailed as failed:
            self._broken[path] = stamp
            self._note(name, VersionStatus(number=number, state=State.END, code=Code.UNKNOWN, message=str(failed)))
            self._report(f"Version {number} of {name} cannot be loaded: {failed}")
            return
        served = Served(model=name, number=number, runner=runner)
        self._served[name] = self._served.get(name, {}) | {number: served}
        self._note(name, VersionStatus(number=number, state=State.AVAILABLE))
        self._report(f"Version {number} of {name} answers.")

    def _let_go(self, name: str, number: int) -> None:
        served = self._served[name][number]
        self._note(name, VersionStatus(number=number, state=State.UNLOADING))
        self._served[name] = {kept: one for kept, one in self._served[name].items() if kept != number}
        served.retire(patience_s=self._patience_s)
        self._note(name, VersionStatus(number=number, state=State.END))
        self._report(f"Version {number} of {name} has been let go.")

    def _note(self, name: str, status: VersionStatus) -> None:
        # A new dict each time: readers in other threads see the old one or the new one, never one being changed.
        self._statuses[name] = self._statuses.get(name, {}) | {status.number: status}


def _stamp(path: Path) -> int:
    """When a version folder, its graph or its variables were last touched, in ns; 0 if it is gone."""
    variables = path / "variables"
    parts = (path, path / "saved_model.pb", variables, *variables.glob("*"))
    return max((one.stat().st_mtime_ns for one in parts if one.exists()), default=0)
