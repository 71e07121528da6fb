"""Tensors by name: whether they can be joined, and how many rows they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Array = np.ndarray[Any, Any]

Kinds = tuple[tuple[str, np.dtype[Any] | None, tuple[int, ...]], ...]


def kinds_of(tensors: Mapping[str, Array]) -> Kinds:
    """Names, element types and inner shapes: what must be equal for tensors to be joined.

    >>> kinds_of({"x": np.zeros((5, 3))})
    (('x', dtype('float64'), (3,)),)
    """
    return tuple((name, value.dtype, value.shape[1:]) for name, value in tensors.items())


def concatenated(parts: Sequence[Mapping[str, Array]]) -> Mapping[str, Array] | None:
    """The rows of all parts; None if they are not alike."""
    first = parts[0]
    if len(parts) == 1:
        return first
    kinds = kinds_of(first)
    if any(kinds_of(part) != kinds for part in parts):
        return None
    return {name: np.concatenate([part[name] for part in parts]) for name in first}


def counts_rows(rows: int, *groups: Mapping[str, Array]) -> bool:
    """Whether the leading axis of every tensor counts so many rows, and there are tensors in every group."""
    leading = (rows,)
    for group in groups:
        if not group:
            return False
        for tensor in group.values():
            if tensor.shape[:1] != leading:
                return False
    return True


def shared_rows(tensors: Mapping[str, Array]) -> int | None:
    """The leading dimension that all tensors share; None if a tensor has none, or they differ."""
    leading = {value.shape[:1] for value in tensors.values()}
    return next(iter(leading))[0] if len(leading) == 1 and () not in leading else None
