"""Records as JSON and arrays, and back, to the last bit: no code is stored, and none is run when they are read."""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias, cast
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.binning import Binner
from monitoring.config.section import Section
from monitoring.errors import PitfallsError

#: Where a record's class must be defined: reading makes none of another package.
PACKAGE = "monitoring."

#: JSON: None, bool, int, float and str as they are; everything else as a list of its kind and what it holds.
_Node: TypeAlias = Any

_CONTENTS = "contents"

#: What reading raises of bytes that are something else: of a damaged archive, or a record of another release.
_NOT_PACKED = (AttributeError, BadZipFile, EOFError, LookupError, OSError, OverflowError, PitfallsError, TypeError)


def pack(value: object) -> bytes:
    """A value as an npz file: arrays, end to end by their type, and a JSON document that refers to them.

    The value is None, a bool, number, text, bytes, time, span of time, array, tuple, mapping, `Binner`, or a dataclass
    or a section of a config, of this package, with such fields. What is one object in several places is one object
    again when it is read.

    >>> unpack(pack((timedelta(days=1), {"a": np.array([0.1, np.nan])})))
    (datetime.timedelta(days=1), {'a': array([0.1, nan])})
    """
    packer = _Packer()
    root = packer.node(value)
    document = json.dumps([packer.classes, packer.objects, root], separators=(",", ":")).encode()
    arrays = {name: np.concatenate(parts) for name, parts in packer.arrays.items()}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{_CONTENTS: np.frombuffer(document, dtype=np.uint8)}, **arrays)
    return file.getvalue()


def unpack(data: bytes) -> Any:
    """The value of `pack`."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        classes, objects, root = json.loads(arrays.pop(_CONTENTS).tobytes())
        unpacker = _Unpacker([_record_class(name) for name in classes], arrays)
        for node in objects:
            unpacker.objects.append(unpacker.object_of(node))
        return unpacker.value(root)
    except _NOT_PACKED as error:
        raise ValueError(f"not packed records: {error}") from error


class _Packer:
    """Turns values into nodes: plain ones stand where they are used, others are listed once, after what they hold."""

    def __init__(self) -> None:
        self.classes: list[str] = []
        self.objects: list[_Node] = []
        self.arrays: dict[str, list[NDArray[Any]]] = {}
        self._numbers: dict[int, int] = {}
        self._sizes: dict[str, int] = {}
        self._alive: list[object] = []  # kept alive, so that no other object gets the id of one

    def node(self, value: object) -> _Node:
        """The node of a value."""
        if value is None or type(value) in (bool, int, float, str):
            return value
        number = self._numbers.get(id(value))
        if number is None:
            node = self._listed(value)
            number = self._numbers[id(value)] = len(self.objects)
            self._alive.append(value)
            self.objects.append(node)
        return ["object", number]

    def _listed(self, value: object) -> _Node:
        kind = type(value)
        if kind is tuple:
            return ["tuple", *map(self.node, cast("tuple[object, ...]", value))]
        if isinstance(value, Mapping):
            return ["mapping", *([self.node(key), self.node(item)] for key, item in value.items())]
        if _is_record(kind) and kind.__module__.startswith(PACKAGE):
            fields = [self.node(getattr(value, name)) for name in _fields(kind)]
            return ["record", self._class(f"{kind.__module__}:{kind.__qualname__}"), *fields]
        return self._array(value) if isinstance(value, np.ndarray) else self._simple(value)

    def _simple(self, value: object) -> _Node:
        """What is made of one array, or of a few numbers."""
        if isinstance(value, Binner):
            return ["binner", self.node(value.edges)]
        if isinstance(value, bytes):
            return ["bytes", self.node(np.frombuffer(value, dtype=np.uint8))]
        if isinstance(value, np.generic):
            return ["number", self.node(np.asarray(value))]
        if isinstance(value, timedelta):
            return ["span", value.days, value.seconds, value.microseconds]
        if isinstance(value, datetime):
            return ["time", value.isoformat()]
        raise TypeError(f"{type(value).__module__}.{type(value).__qualname__} is not kept in files")

    def _class(self, name: str) -> int:
        if name not in self.classes:
            self.classes.append(name)
        return self.classes.index(name)

    def _array(self, values: NDArray[Any]) -> _Node:
        name = values.dtype.str
        if values.dtype.hasobject or values.dtype.names is not None:
            raise TypeError(f"arrays of {values.dtype} are not kept in files")
        first = self._sizes.get(name, 0)
        self._sizes[name] = first + values.size
        self.arrays.setdefault(name, []).append(values.ravel())
        return ["array", name, first, *values.shape]


class _Unpacker:
    """Makes values of nodes: `objects` are those made so far."""

    def __init__(self, classes: list[type], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.objects: list[object] = []
        self._classes, self._arrays = classes, arrays
        self._makers: dict[str, Callable[..., object]] = {
            "tuple": lambda *nodes: tuple(map(self.value, nodes)),
            "mapping": lambda *pairs: {self.value(key): self.value(item) for key, item in pairs},
            "record": self._record,
            "array": self._array,
            "binner": lambda edges: Binner(self.value(edges)),
            "bytes": lambda array: self.value(array).tobytes(),
            "number": lambda array: self.value(array)[()],
            "span": timedelta,
            "time": datetime.fromisoformat,
        }

    def value(self, node: _Node) -> Any:
        """The value of a node."""
        return self.objects[node[1]] if isinstance(node, list) else node

    def object_of(self, node: _Node) -> object:
        """The object of a node of the list."""
        return self._makers[node[0]](*node[1:])

    def _record(self, number: int, *fields: _Node) -> object:
        record_class = self._classes[number]
        return record_class(**dict(zip(_fields(record_class), map(self.value, fields), strict=True)))

    def _array(self, name: str, first: int, *shape: int) -> NDArray[Any]:
        return self._arrays[name][first : first + math.prod(shape)].reshape(shape).copy()


def _is_record(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or issubclass(kind, Section)


def _fields(kind: type) -> Iterator[str]:
    if issubclass(kind, Section):
        return iter(kind.model_fields)
    return (field.name for field in dataclasses.fields(cast("Any", kind)) if field.init)


def _record_class(name: str) -> type:
    """A dataclass or section of this package by its module and name."""
    module, _, path = name.partition(":")
    if not module.startswith(PACKAGE):
        raise ValueError(f"no record of this package: {name}")
    try:
        record_class: Any = importlib.import_module(module)
    except ImportError as error:
        raise ValueError(f"no record of this package: {name}") from error
    for part in path.split("."):
        record_class = getattr(record_class, part)
    if not (isinstance(record_class, type) and _is_record(record_class)):
        raise ValueError(f"no record of this package: {name}")
    return record_class
