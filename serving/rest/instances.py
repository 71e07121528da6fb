"""A predict request's document to named tensors: ``instances`` (rows) or ``inputs`` (columns).

The order of the checks and the texts are TensorFlow Serving's (``util/json_tensor.cc``, FillPredictRequestFromJson).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.rest.decoding import NUMBERS, decode, decode_regular, make_array, make_floats, make_numbers
from serving.rest.element_reader import is_base64, read_elements, shape_of
from serving.rest.encoding import write_batch
from serving.rest.number_rows import NumberRows, as_lists
from serving.status import Failure, InvalidArgument
from serving.transport.json_quoting import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from serving.models.named_tensors import TensorTypes
    from serving.models.signatures import Signature, TensorSpec

    Array = np.ndarray[Any, Any]
    Rows = Sequence[Any] | NumberRows


# The numbers of all rows become one array, since an array for each column would cost one call more for each of them.
def read_regular_objects(instances: Sequence[Any], specs: Mapping[str, TensorSpec]) -> dict[str, Array] | None:
    """Read objects with exactly the inputs' names. Returns a tensor for each input; None if any object is not regular.

    >>> from serving.models.signatures import ELEMENT_TYPES, TensorSpec
    >>> specs = {name: TensorSpec(name=name, graph_name="", element=ELEMENT_TYPES[1], shape=(-1,)) for name in "ab"}
    >>> read_regular_objects([{"a": 1.5, "b": 2}, {"a": 3.5, "b": 4}], specs)
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


def read_signature_name(document: dict[str, Any]) -> str:
    """Read the name of the requested signature. Returns the name; empty if the request has none."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise InvalidArgument(
            f"JSON Value: {quote(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return name


def read_instances(document: dict[str, Any]) -> list[Any] | None:
    """Find the rows of a request. Returns at least one row; None for a request in columnar form."""
    if "instances" not in document:
        if "inputs" in document:
            return None
        raise InvalidArgument("Missing 'inputs' or 'instances' key")
    if "inputs" in document:
        raise InvalidArgument(
            f"JSON Value: {quote(document)} Not formatted correctly expecting only one of 'inputs' or 'instances' "
            "keys to exist "
        )
    instances = document["instances"]
    if not isinstance(instances, list):
        raise InvalidArgument(f"JSON Value: {quote(document)} Expecting 'instances' to be an list/array")
    if not instances:
        raise InvalidArgument(f"JSON Value: {quote(document)} No values in 'instances' array")
    return instances


def read_columns(value: Any, specs: Mapping[str, TensorSpec]) -> dict[str, Array]:
    """Read a request in columnar form: a bare value for one input, an object for several.

    Members of other names are ignored.
    """
    if isinstance(value, dict) and not is_base64(value):
        columns: dict[str, Array] = {}
        for name, spec in specs.items():
            if name not in value:
                raise InvalidArgument(f"Missing named input: {name} in 'inputs' object.")
            columns[name] = decode(value[name], spec)
        return columns
    if len(specs) > 1:
        raise InvalidArgument(
            "inputs is a plain value/list, but expecting an object as multiple "
            "input tensors required as per tensorinfo_map"
        )
    ((name, spec),) = specs.items()
    return {name: decode(value, spec)}


def read_rows(instances: Sequence[Any], specs: Mapping[str, TensorSpec]) -> dict[str, Array]:
    """Read rows: bare values for one input, or objects with exactly the inputs' names."""
    if not isinstance(instances[0], dict) and len(specs) > 1:
        raise InvalidArgument(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    columns = read_regular_rows(instances, specs)
    return columns if columns is not None else _RowReader(specs).read(instances)


def read_regular_rows(instances: Sequence[Any], specs: Mapping[str, TensorSpec]) -> dict[str, Array] | None:
    """The tensors of regular rows, also of several requests at once; None if any row is not regular."""
    if _is_object(instances[0]):
        return read_regular_objects(instances, specs)
    if len(specs) > 1:
        return None
    ((name, spec),) = specs.items()
    column = decode_regular(list(instances), spec)
    return None if column is None else {name: column}


def expected_types(row: Any, specs: Mapping[str, TensorSpec]) -> TensorTypes:
    """Find the types of the tensors of regular rows like this one.

    >>> from serving.models.signatures import ELEMENT_TYPES, TensorSpec
    >>> expected_types([[1, 2]], {"x": TensorSpec(name="x", graph_name="", element=ELEMENT_TYPES[1], shape=None)})
    (('x', dtype('float32'), (1, 2)),)
    """
    members: Mapping[str, Any] = row if _is_object(row) else dict.fromkeys(specs, row)
    return tuple((name, spec.element.numpy, shape_of(members.get(name))) for name, spec in specs.items())


def read_regular_numbers(requests: Sequence[Any], specs: Mapping[str, TensorSpec]) -> dict[str, Array] | None:
    """The tensor of requests that are all `NumberRows` of one inner shape; None for other requests, or a wrong type."""
    if len(specs) > 1:
        return None
    ((name, spec),) = specs.items()
    inner = requests[0].shape[1:]
    if len(requests) == 1:
        numbers, count = requests[0].numbers, len(requests[0])
    else:
        if any(type(request) is not NumberRows or request.shape[1:] != inner for request in requests):
            return None
        numbers = list(chain.from_iterable([request.numbers for request in requests]))
        count = sum(map(len, requests))
    tensor = make_numbers(numbers, (count, *inner), spec.element.name)
    return None if tensor is None else {name: tensor}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)


class _RowReader:
    """Reads rows one by one, and finds the first error as TensorFlow Serving does."""

    def __init__(self, specs: Mapping[str, TensorSpec]) -> None:
        self._specs = specs
        self._elements: dict[str, list[Any]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}

    def read(self, instances: Sequence[Any]) -> dict[str, Array]:
        objects = _is_object(instances[0])
        for index, instance in enumerate(instances):
            if objects:
                self._object(index, instance)
            elif _is_object(instance):
                raise InvalidArgument(f"Expecting value/list but got object at item {index} of input list")
            else:
                self._value(f"{index}", next(iter(self._specs)), instance)
        return {
            name: make_array(self._elements[name], (len(instances), *self._shapes[name]), spec.element.name)
            for name, spec in self._specs.items()
            if name in self._elements
        }

    def _object(self, index: int, instance: Any) -> None:
        if not _is_object(instance):
            raise InvalidArgument(f"Expecting object but got list at item {index} of input list")
        for name, value in instance.items():
            self._value(f"{index} key: {name}", name, value)
        if instance.keys() != self._specs.keys():
            raise InvalidArgument(
                f"Failed to process element: {index} of 'instances' list. JSON object: {quote(instance)} "
                f"keys must be equal to: {','.join(sorted(self._specs))}"
            )

    def _value(self, where: str, name: str, value: Any) -> None:
        try:
            self._add(name, value)
        except Failure as failure:
            raise InvalidArgument(
                f"Failed to process element: {where} of 'instances' list. Error: {failure}"
            ) from failure

    def _add(self, name: str, value: Any) -> None:
        spec = self._specs.get(name)
        if spec is None:
            raise InvalidArgument(f"JSON object: does not have named input: {name}")
        elements, shape = read_elements(value, spec.element)
        expected = self._shapes.setdefault(name, shape)
        if len(elements) != math.prod(expected):
            raise InvalidArgument(f"Expecting tensor size: {math.prod(expected)} but got: {len(elements)}")
        if shape != expected:
            raise InvalidArgument(f"Expecting shape [{_joined(expected)}] but got: [{_joined(shape)}]")
        self._elements.setdefault(name, []).extend(elements)


def _joined(shape: tuple[int, ...]) -> str:
    return ",".join(map(str, shape))


@dataclass(frozen=True, slots=True)
class InstancesFormat:
    """Reads and writes rows; implements `serving.inference.requests.RowFormat`."""

    def expected_types(self, rows: Rows, signature: Signature) -> TensorTypes:
        """The types of the tensors if all rows are like the first."""
        if isinstance(rows, NumberRows):
            return tuple((name, spec.element.numpy, rows.shape[1:]) for name, spec in signature.inputs.items())
        return expected_types(rows[0], signature.inputs)

    def read_regular(self, requests: Sequence[Rows], signature: Signature) -> dict[str, Array] | None:
        """The tensors of the rows of all requests together; None unless every row is regular."""
        if type(requests[0]) is NumberRows:
            tensors = read_regular_numbers(requests, signature.inputs)
            if tensors is not None:
                return tensors
        rows = [as_lists(request) for request in requests]
        return read_regular_rows(rows[0] if len(rows) == 1 else list(chain.from_iterable(rows)), signature.inputs)

    def read(self, rows: Rows, signature: Signature) -> dict[str, Array]:
        """The tensors of any rows. Raises `Failure` for invalid ones."""
        return read_rows(as_lists(rows), signature.inputs)

    def write(self, outputs: Mapping[str, Array], counts: Sequence[int]) -> list[bytes]:
        """A body for each request, given its number of rows. Raises `Failure` if the outputs cannot be written."""
        return write_batch(outputs, counts)


INSTANCES_FORMAT = InstancesFormat()
