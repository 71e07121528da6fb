"""Loaded versions of models: how one takes over from another, and how a request finds one.

A new version is loaded and warmed up while the old one answers; the old one is unloaded when the new one is available
and its last request has been answered. A version that cannot be loaded is reported, and the old one goes on.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from serving.models.runner import LoadError
from serving.models.served_version import LoadFailure, ServedVersion, VersionSettings, VersionState, VersionStatus
from serving.models.version_folders import find_versions, modified_ns
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from monitoring.rollout.split.split_file import Split
    from serving.models.runner import Runner
    from serving.models.version_folders import ModelSource

#: The number of versions in state END that the status of a model lists, newest first.
ENDED_KEPT = 100


@final
class Models:
    """All models of a server: `poll` brings them up to date with the disk, `lease` finds one for a request.

    ``poll`` blocks while it loads and belongs in a thread of its own; every method may be called from any thread.

    Args:
        unload_timeout_s: How long an unloading version waits for its last requests, in seconds.
        clock: Seconds.
    """

    def __init__(
        self,
        list_models: Callable[[], Sequence[ModelSource]],
        *,
        load: Callable[[Path], Runner],
        report: Callable[[str], None],
        unload_timeout_s: float = 60.0,
        settings: VersionSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._list_models = list_models
        self._load = load
        self._report = report
        self._unload_timeout_s = unload_timeout_s
        used = settings or VersionSettings()
        self._retries = used.retries
        self._newest_is_zero = used.newest_is_zero
        self._clock = clock
        self.splits: Mapping[str, Split] = {}
        """How requests that name no version are split, by model; replaced as a whole."""
        self._changing = threading.Lock()
        self._sources: dict[str, ModelSource] = {}
        self._served: dict[str, dict[int, ServedVersion]] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._statuses: dict[str, dict[int, VersionStatus]] = {}
        self._failures: dict[Path, LoadFailure] = {}
        self._defaults: dict[str, str] = {}

    def poll(self) -> None:
        """Look at the disk once: load new wanted versions, unload those that are no longer wanted.

        Raises whatever ``list_models`` raises; nothing has changed then.
        """
        with self._changing:
            sources = {source.name: source for source in self._list_models()}
            removed = self._sources.keys() - sources.keys()
            self._sources = {name: self._sources[name] for name in removed} | sources
            for source in sources.values():
                self._update(source)
            for name in removed:
                for number in tuple(self._served.get(name, ())):
                    self._unload(name, number)
                self._labels.pop(name, None)
            self._sources = sources
            self._report_defaults()

    def close(self) -> None:
        """Unload every version."""
        with self._changing:
            for name, versions in self._served.items():
                for number in list(versions):
                    self._unload(name, number)

    @property
    def names(self) -> tuple[str, ...]:
        """Every model that is wanted, in the order of the names."""
        return tuple(sorted(self._sources))

    def knows(self, name: str) -> bool:
        """Whether a model is wanted, loaded or not."""
        return name in self._sources

    def has_versions(self, name: str) -> bool:
        """Whether any version of the model has been found on disk yet."""
        return bool(self._statuses.get(name))

    def source(self, name: str) -> ModelSource | None:
        """Where a model's versions are, and how its requests are logged; None for an unknown model."""
        return self._sources.get(name)

    def labels(self, name: str) -> Mapping[str, int]:
        """The versions of a model by label. A label moves when the version that it is to name is available."""
        return self._labels.get(name, {})

    @property
    def is_ready(self) -> bool:
        """Whether there is a model, and every model has an available version, those apart that clients unloaded."""
        sources = self._sources
        return bool(sources) and all(self._served.get(name) or source.is_unloaded for name, source in sources.items())

    def mlmd_uuids(self) -> dict[tuple[str, int], str]:
        """Keys in ML Metadata by model and version, of the loaded versions that have one."""
        return {
            (name, number): version.mlmd_uuid
            for name, versions in list(self._served.items())
            for number, version in versions.items()
            if version.mlmd_uuid
        }

    def labelled_outputs(self, name: str | None) -> tuple[str, ...]:
        """The outputs that have a label each, of the newest version of a model.

        Args:
            name: The model; None for any, of which nothing is known unless there is only one.

        Returns:
            The outputs' names; none where a label is one value, or that is not known.
        """
        served = list(self._served.items())
        candidates = [versions for model, versions in served if versions and name in (None, model)]
        return candidates[0][max(candidates[0])].labelled_outputs if len(candidates) == 1 else ()

    def available(self, name: str) -> tuple[int, ...]:
        """The available versions of a model, newest first."""
        return tuple(sorted(self._served.get(name, ()), reverse=True))

    def statuses(self, name: str, number: int | None = None) -> tuple[VersionStatus, ...]:
        """The status of a model's versions, newest first, unloaded ones included.

        Args:
            number: One version; None for all. 0 means all where there is no version 0, as `lease` takes it for the
                newest.
        """
        statuses = self._statuses.get(name, {})
        if number is None or (number == 0 and self._newest_is_zero and statuses and 0 not in statuses):
            if not statuses:
                raise Failure(Code.NOT_FOUND, f"Could not find any versions of model {name}")
            return tuple(statuses[version] for version in sorted(statuses, reverse=True))
        if number not in statuses:
            raise Failure(Code.NOT_FOUND, f"Could not find version {number} of model {name}")
        return (statuses[number],)

    @contextmanager
    def lease(self, name: str, number: int | None = None, label: str | None = None) -> Iterator[ServedVersion]:
        """Hold a version while the block runs; arguments and errors as of `acquire`."""
        served = self.acquire(name, number, label)
        try:
            yield served
        finally:
            served.release()

    def acquire(self, name: str, number: int | None = None, label: str | None = None) -> ServedVersion:
        """Find a version for a request and take a lease on it.

        Args:
            number: The version; None for the newest available one. 0 means the newest, too, where no version 0 is
                loaded (unless the settings switch that off): some clients send it for the default.

        Returns:
            The version; the caller must `ServedVersion.release` it.

        Raises:
            Failure: NOT_FOUND for the model or version, INVALID_ARGUMENT for the label, in TensorFlow Serving's words.
        """
        while True:
            versions = self._served.get(name, {})
            wanted = self._number_of(name, label) if label is not None and versions else number
            if wanted is None or (wanted == 0 and self._newest_is_zero and 0 not in versions):
                served = versions[max(versions)] if versions else None
            else:
                served = versions.get(wanted)
            if served is None:
                requested = f"Latest({name})" if wanted is None else f"Specific({name}, {wanted})"
                raise Failure(Code.NOT_FOUND, f"Servable not found for request: {requested}")
            if served.acquire():
                return served

    def _number_of(self, name: str, label: str) -> int:
        number = self._labels.get(name, {}).get(label)
        if number is None or number not in self._served.get(name, {}):
            raise Failure(Code.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}")
        return number

    def _report_defaults(self) -> None:
        """Say which version answers requests that name none, once for as long as that stays the same."""
        defaults = {name: text for name in self._sources if (text := self._default(name))}
        for name, text in defaults.items():
            if self._defaults.get(name) != text:
                self._report(f"Requests of {name} that name no version {text}.")
        self._defaults = defaults

    def _default(self, name: str) -> str:
        """What requests of a model get that name no version; empty where no version is available."""
        versions, split = self._served.get(name, {}), self.splits.get(name)
        if split is not None and not split.is_over:
            return f"are split between the versions {split.champion} and {split.candidate}"
        number = max(versions, default=None) if split is None else split.champion
        return "" if number is None else f"get version {number}"

    def _update(self, source: ModelSource) -> None:
        versions = find_versions(source.base)
        wanted = source.policy.choose(list(versions))
        for number in wanted:
            self._load_version(source.name, number, versions[number])
        for number in sorted(versions, reverse=True):  # if no wanted version can be loaded, an older one serves
            if source.policy.kind == "latest" and not self._served.get(source.name):
                self._load_version(source.name, number, versions[number])
        available = set(self._served.get(source.name, ()))
        self._move_labels(source, available)
        if available & set(wanted) or not versions or source.is_unloaded:
            for number in available - set(wanted):
                self._unload(source.name, number)

    def _move_labels(self, source: ModelSource, available: set[int]) -> None:
        """Move labels to available versions; a label whose new version is not available stays where it is."""
        before = self._labels.get(source.name, {})
        self._labels[source.name] = {
            label: number if number in available else before.get(label, number)
            for label, number in source.labels.items()
        }

    def _load_version(self, name: str, number: int, path: Path) -> None:
        """Load a version unless it is loaded already, or failed and is not due for a retry."""
        before = self._served.get(name, {}).get(number)
        if before is not None and before.path == path:
            return
        modified = modified_ns(path)
        failure = self._failures.get(path)
        if failure is not None and failure.modified_ns == modified:
            if failure.tries > self._retries.count or self._clock() - failure.at_s < self._retries.interval_s:
                return
        else:
            failure = None
        self._set_status(name, VersionStatus(number=number, state=VersionState.LOADING))
        try:
            runner = self._load(path)
        except LoadError as error:
            tries = 1 if failure is None else failure.tries + 1
            self._failures[path] = LoadFailure(modified_ns=modified, tries=tries, at_s=self._clock())
            status = VersionStatus(number=number, state=VersionState.END, code=error.code, message=str(error))
            self._set_status(name, status)
            self._report(f"Version {number} of {name} cannot be loaded: {error}")
            return
        self._failures.pop(path, None)
        served = ServedVersion(model=name, number=number, runner=runner, path=path)
        self._served[name] = self._served.get(name, {}) | {number: served}
        self._set_status(name, VersionStatus(number=number, state=VersionState.AVAILABLE))
        self._report(f"Version {number} of {name} is available.")
        if before is not None:
            before.unload(timeout_s=self._unload_timeout_s)

    def _unload(self, name: str, number: int) -> None:
        served = self._served[name][number]
        self._set_status(name, VersionStatus(number=number, state=VersionState.UNLOADING))
        self._served[name] = {other: version for other, version in self._served[name].items() if other != number}
        served.unload(timeout_s=self._unload_timeout_s)
        self._set_status(name, VersionStatus(number=number, state=VersionState.END))
        self._report(f"Version {number} of {name} is unloaded.")

    def _set_status(self, name: str, status: VersionStatus) -> None:
        # A new dict each time: readers in other threads see the old one or the new one, never one being changed.
        statuses = self._statuses.get(name, {}) | {status.number: status}
        ended = sorted(number for number, status in statuses.items() if status.state is VersionState.END)
        for number in ended[:-ENDED_KEPT]:
            del statuses[number]
        self._statuses[name] = statuses
