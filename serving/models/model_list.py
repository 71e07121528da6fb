"""What a server is to serve at the moment: a folder of models, one model, or the list of a config file or a client."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, final

from serving.models.model_config import read_config_file
from serving.models.version_folders import ModelSource, discover

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    VersionLabels = Mapping[str, Mapping[str, int]]


class ModelListSource(Protocol):
    """Where the list of models comes from."""

    def read(self) -> Sequence[ModelSource]:
        """The list as it is now. Raises `BadInput` if it cannot be used."""

    @property
    def is_live(self) -> bool:
        """Whether it is read at every look at the disk, and not only when somebody asks for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsFolder:
    """Every NAME in the folder that holds NAME/VERSION folders."""

    folder: Path
    labels: VersionLabels = field(default_factory=dict)

    def read(self) -> Sequence[ModelSource]:
        """The models that are there now."""
        return discover(self.folder, self.labels)

    @property
    def is_live(self) -> bool:
        """Models come and go with their folders."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleModel:
    """A single model and the folder of its versions."""

    name: str
    base: Path
    labels: VersionLabels = field(default_factory=dict)

    def read(self) -> Sequence[ModelSource]:
        """The model, whether or not there are versions yet."""
        return (ModelSource(name=self.name, base=self.base, labels=self.labels.get(self.name, {})),)

    @property
    def is_live(self) -> bool:
        """It stays the same."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A model config file of TensorFlow Serving's; labels given beside it are added to its own."""

    path: Path
    labels: VersionLabels = field(default_factory=dict)

    def read(self) -> Sequence[ModelSource]:
        """The models that the file lists now."""
        sources = read_config_file(self.path)
        return tuple(replace(one, labels={**one.labels, **self.labels.get(one.name, {})}) for one in sources)

    @property
    def is_live(self) -> bool:
        """It is read when it is asked for, or has changed."""
        return False


@final
class ModelList:
    """The list of models that is valid now. Calling it gives the list; thread-safe."""

    def __init__(self, origin: ModelListSource) -> None:
        self._origin = origin
        self._lock = threading.Lock()
        self._listed: tuple[ModelSource, ...] | None = None
        self._seen: dict[str, ModelSource] = {}

    def __call__(self) -> tuple[ModelSource, ...]:
        """What is wanted. A model of a folder stays known for as long as its own folder is there, versions or none."""
        with self._lock:
            if self._listed is not None:
                return self._listed
            found = tuple(self._origin.read())
            if not self._origin.is_live:
                self._listed = found
                return found
            kept = {name: one for name, one in self._seen.items() if one.base.is_dir()}
            self._seen = kept | {one.name: one for one in found}
            return tuple(self._seen[name] for name in sorted(self._seen))

    def replace(self, sources: Sequence[ModelSource]) -> None:
        """From now on this list is wanted, and not the origin's."""
        with self._lock:
            self._listed = tuple(sources)

    def reread(self) -> tuple[ModelSource, ...]:
        """The origin's list as it is now, without taking it over. Raises `BadInput`."""
        return tuple(self._origin.read())

    @property
    def is_live(self) -> bool:
        """Whether the origin, when it is valid, is read at every call."""
        return self._origin.is_live

    def restore(self) -> None:
        """From now on the origin's list is wanted again."""
        with self._lock:
            self._listed = None
