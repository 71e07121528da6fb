"""The list of models that a server serves: a folder of models, one model, or the list of a config file or a client."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, final

from typing_extensions import override

from monitoring.traffic.remote.file_store import FileStore, StoredFile
from monitoring.traffic.remote.urls import shown_url
from serving.models.list_in_force import ListInForce
from serving.models.model_cache import model_at, remote_versions
from serving.models.model_config import read_config_file
from serving.models.version_folders import ModelSource, discover

VersionLabels = Mapping[str, Mapping[str, int]]


class ModelListSource(Protocol):
    """Where the list of models comes from."""

    def read(self) -> Sequence[ModelSource]:
        """Read the list as it is now.

        Raises:
            BadInput: The list cannot be used.
        """

    @property
    def is_live(self) -> bool:
        """Whether it is read at every poll of the disk, and not only on demand."""

    @property
    def place(self) -> str:
        """Its path or URL, as it may be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsFolder(ModelListSource):
    """Every model NAME in a folder of NAME/VERSION folders."""

    folder: Path
    labels: VersionLabels = field(default_factory=dict)

    def read(self) -> Sequence[ModelSource]:
        """The models that are in the folder now."""
        return discover(self.folder, self.labels)

    @property
    def is_live(self) -> bool:
        """Models come and go with their folders."""
        return True

    @property
    @override
    def place(self) -> str:
        return str(self.folder)


@final
class ModelsUrl(ModelListSource):
    """Every model NAME with a complete version at a URL of NAME/VERSION folders.

    Args:
        poll_s: Seconds between two listings of the URL; in between, the models of the last one are given.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        url: str,
        labels: VersionLabels | None = None,
        *,
        poll_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url.rstrip("/")
        self._labels = labels or {}
        self._poll_s = poll_s
        self._clock = clock
        self._listed_at = -math.inf
        self._sources: tuple[ModelSource, ...] = ()

    def read(self) -> Sequence[ModelSource]:
        """The models at the URL.

        Raises:
            CannotRun: The store cannot be read.
        """
        if self._clock() - self._listed_at >= self._poll_s:
            grouped: dict[str, dict[str, StoredFile]] = {}
            for key, file in FileStore(self.url).listing().items():
                name, _, path = key.partition("/")
                grouped.setdefault(name, {})[path] = file
            self._sources = tuple(
                model_at(f"{self.url}/{name}", name=name, labels=self._labels.get(name))
                for name, files in sorted(grouped.items())
                if remote_versions(files)
            )
            self._listed_at = self._clock()
        return self._sources

    @property
    def is_live(self) -> bool:
        """Models come and go with their folders."""
        return True

    @property
    @override
    def place(self) -> str:
        return shown_url(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleModel(ModelListSource):
    """A single model and the folder of its versions."""

    name: str
    base: Path | str
    """Its folder of versions; text is a URL."""
    labels: VersionLabels = field(default_factory=dict)

    def read(self) -> Sequence[ModelSource]:
        """The model, whether or not it has versions yet."""
        labels = self.labels.get(self.name, {})
        if isinstance(self.base, str):
            return (model_at(self.base, name=self.name, labels=labels),)
        return (ModelSource(name=self.name, base=self.base, labels=labels),)

    @property
    def is_live(self) -> bool:
        """The list does not change."""
        return False

    @property
    @override
    def place(self) -> str:
        return shown_url(self.base) if isinstance(self.base, str) else str(self.base)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile(ModelListSource):
    """A model config file of TensorFlow Serving's; further labels are added to those in the file."""

    path: Path
    labels: VersionLabels = field(default_factory=dict)

    def read(self) -> Sequence[ModelSource]:
        """The models that are in the file now."""
        sources = read_config_file(self.path)
        return tuple(
            replace(source, labels={**source.labels, **self.labels.get(source.name, {})}) for source in sources
        )

    @property
    def is_live(self) -> bool:
        """It is read on demand, and when it has changed."""
        return False

    @property
    @override
    def place(self) -> str:
        return str(self.path)


@final
class ModelList(ModelListSource):
    """The models to serve, by the list in force. Calling it gives them; thread-safe."""

    def __init__(self, source: ModelListSource, in_force: ListInForce | None = None) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._in_force = in_force or first_list(source)
        self._sources: dict[str, ModelSource] = {}

    def __call__(self) -> tuple[ModelSource, ...]:
        """The models to serve. A model of a live folder stays while its own folder exists, versions or none."""
        with self._lock:
            if self._in_force.sources is not None:
                return self._switched(self._in_force.sources)
            sources = self._source.read()
            earlier = {name: source for name, source in self._sources.items() if source.base.is_dir()}
            self._sources = earlier | {source.name: source for source in sources}
            return self._switched([self._sources[name] for name in sorted(self._sources)])

    def _switched(self, sources: Sequence[ModelSource]) -> tuple[ModelSource, ...]:
        unloaded = self._in_force.unloaded
        return tuple(source.unloaded() if source.name in unloaded else source for source in sources)

    @property
    def in_force(self) -> ListInForce:
        """The list that this process serves."""
        return self._in_force

    def put(self, in_force: ListInForce) -> None:
        """Serve by this list from now on."""
        with self._lock:
            self._in_force = in_force

    def read(self) -> tuple[ModelSource, ...]:
        """Read the source's list, without serving by it.

        Raises:
            BadInput: The list cannot be used.
        """
        return tuple(self._source.read())

    @property
    def is_live(self) -> bool:
        """Whether the source, when in force, is read at every call."""
        return self._source.is_live

    @property
    @override
    def place(self) -> str:
        return self._source.place


def first_list(source: ModelListSource) -> ListInForce:
    """The list with which a server starts."""
    if source.is_live:
        return ListInForce()
    sources = tuple(source.read())
    return ListInForce(sources=sources, last_read=sources)
