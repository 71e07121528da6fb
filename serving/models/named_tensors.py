"""Tensors by name: whether they can be concatenated, and how many rows they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

TensorTypes = tuple[tuple[str, np.dtype[Any] | None, tuple[int, ...]], ...]
"""Name, element type and inner shape (all dimensions but the first) of each tensor; tensors of equal types can be
concatenated. The element type is None where numpy has none of its own."""


def types_of(tensors: Mapping[str, Array]) -> TensorTypes:
    """Find the types of tensors, which must be equal for them to be concatenated.

    >>> types_of({"x": np.zeros((5, 3))})
    (('x', dtype('float64'), (3,)),)

    Returns:
        Name, element type and inner shape of each.
    """
    return tuple((name, value.dtype, value.shape[1:]) for name, value in tensors.items())


def concatenate(parts: Sequence[Mapping[str, Array]]) -> Mapping[str, Array] | None:
    """Concatenate tensors along their first dimension; None if the parts' types differ."""
    first = parts[0]
    if len(parts) == 1:
        return first
    types = types_of(first)
    if any(types_of(part) != types for part in parts):
        return None
    return {name: np.concatenate([part[name] for part in parts]) for name in first}


def have_rows(rows: int, *groups: Mapping[str, Array]) -> bool:
    """Whether the first dimension of every tensor is ``rows``, and no group is empty."""
    leading = (rows,)
    for group in groups:
        if not group:
            return False
        for tensor in group.values():
            if tensor.shape[:1] != leading:
                return False
    return True


def shared_rows(tensors: Mapping[str, Array]) -> int | None:
    """The first dimension of all tensors; None if they differ, or a tensor is a scalar."""
    leading = {value.shape[:1] for value in tensors.values()}
    return next(iter(leading))[0] if len(leading) == 1 and () not in leading else None
