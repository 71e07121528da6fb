"""Rows that are JSON objects with the same members, read in bulk: the commonest body.

The numbers of all rows become one array, since an array for each column would cost one call more for each of them.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.rest.decoding import NUMBERS, decode_regular, make_floats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serving.models.signatures import TensorSpec

    Array = np.ndarray[Any, Any]


def read_regular_objects(instances: Sequence[Any], specs: Mapping[str, TensorSpec]) -> dict[str, Array] | None:
    """Read objects with exactly the inputs' names.

    >>> from serving.models.signatures import ELEMENT_TYPES, TensorSpec
    >>> specs = {name: TensorSpec(name=name, graph_name="", element=ELEMENT_TYPES[1], shape=(-1,)) for name in "ab"}
    >>> read_regular_objects([{"a": 1.5, "b": 2}, {"a": 3.5, "b": 4}], specs)
    {'a': array([1.5, 3.5], dtype=float32), 'b': array([2., 4.], dtype=float32)}

    Returns:
        A tensor for each input; None if any object is not regular.
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
                column = decode_regular([instance[name] for instance in instances], spec)
                if column is None:
                    return None
                columns[name] = column
    except KeyError:
        return None
    return {name: columns[name] for name in specs}


def _number_block(instances: Sequence[Any], names: tuple[str, ...]) -> Array | None:
    """The columns of single numbers, as rows of one array; None if a value is not a number."""
    flat = list(chain.from_iterable(map(_getter(names), instances)))
    if not set(map(type, flat)) <= NUMBERS:
        return None
    try:
        numbers = make_floats(flat, "f")
    except OverflowError:  # an integer of more than 308 digits
        return None
    return np.ascontiguousarray(numbers.reshape(len(instances), len(names)).T)


@lru_cache(maxsize=1024)
def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    return itemgetter(*names)
