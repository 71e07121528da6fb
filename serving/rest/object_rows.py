"""Rows as regular JSON objects into columns: the commonest body, read in bulk.

All numbers of all rows become one array: made column by column, each would cost a call before its first element.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.rest.decoding import NUMBERS, decode_plain, make_floats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serving.models.signatures import TensorSpec

    Array = np.ndarray[Any, Any]


def read_plain_objects(instances: Sequence[Any], specs: Mapping[str, TensorSpec]) -> dict[str, Array] | None:
    """The columns of objects with exactly the inputs' names; None if any of them needs a closer look.

    >>> from serving.models.signatures import ELEMENT_TYPES, TensorSpec
    >>> specs = {name: TensorSpec(name=name, graph_name="", element=ELEMENT_TYPES[1], shape=(-1,)) for name in "ab"}
    >>> read_plain_objects([{"a": 1.5, "b": 2}, {"a": 3.5, "b": 4}], specs)
    {'a': array([1.5, 3.5], dtype=float32), 'b': array([2., 4.], dtype=float32)}
    """
    if set(map(type, instances)) != {dict} or set(map(len, instances)) != {len(specs)}:
        return None
    first = instances[0]
    numbers = tuple(
        name for name, spec in specs.items() if spec.element.name == "float" and type(first.get(name)) in NUMBERS
    )
    columns: dict[str, Array] = {}
    try:
        if len(numbers) > 1:
            block = _number_block(instances, numbers)
            if block is None:
                return None
            columns.update(zip(numbers, block, strict=True))
        for name, spec in specs.items():
            if name not in columns:
                column = decode_plain([instance[name] for instance in instances], spec)
                if column is None:
                    return None
                columns[name] = column
    except KeyError:
        return None
    return {name: columns[name] for name in specs}


def _number_block(instances: Sequence[Any], names: tuple[str, ...]) -> Array | None:
    """Single numbers, one row of the result a column; None if one of them is something else."""
    flat = list(chain.from_iterable(map(_getter(names), instances)))
    if not set(map(type, flat)) <= NUMBERS:
        return None
    try:
        numbers = make_floats(flat, "f")
    except OverflowError:  # a whole number of more than 308 digits
        return None
    return np.ascontiguousarray(numbers.reshape(len(instances), len(names)).T)


@lru_cache(maxsize=1024)
def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    return itemgetter(*names)
