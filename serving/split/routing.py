"""Which version answers a request of a model that is being split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from serving.status import Failure

if TYPE_CHECKING:
    from monitoring.rollout.split.split_file import Split
    from serving.capture.capture import Caller
    from serving.models.served_version import ServedVersion
    from serving.models.versions import Models

#: The longest key that counts; longer ones are none.
MOST_CHARACTERS = 1024


class Wanted(NamedTuple):
    """What a request names: a model, and perhaps a version or a label."""

    model: str
    version: int | None = None
    label: str | None = None


def acquire(
    models: Models,
    wanted: Wanted,
    caller: Caller,
    headers: Iterable[tuple[bytes, bytes]],
    values_of: Callable[[str], Any],
) -> tuple[ServedVersion, Caller]:
    """Find the version that answers a request, and take a lease on it.

    Requests that name a version or a label get that one, and are not part of a split. After a split the version that it
    left in use answers. Where the version that a split says is not there, the model's newest one answers, as without a
    split.

    Args:
        values_of: Gives the values of an input by its name, of all rows; None where the request has none.
    """
    split = models.splits.get(wanted.model)
    if split is None or wanted.version is not None or wanted.label is not None:
        return models.acquire(wanted.model, wanted.version, wanted.label), caller
    if split.is_over:
        return _acquire(models, wanted.model, split.champion), caller
    key = None if split.key is None else _key(split.key, headers, values_of)
    version, unit = split.assign(key, caller.request_id, caller.event_time_us)
    return _acquire(models, wanted.model, version), caller._replace(unit=unit)


def _acquire(models: Models, model: str, version: int) -> ServedVersion:
    """The version, or the newest one where it is not there."""
    try:
        return models.acquire(model, version)
    except Failure:
        return models.acquire(model)


def _key(name: str, headers: Iterable[tuple[bytes, bytes]], values_of: Callable[[str], Any]) -> str | None:
    """The key of a request: a header of that name, or the value of the input that all of its rows have."""
    wanted = name.lower().encode()
    for header, value in headers:
        if header == wanted:
            return _text(value)
    return key_of(values_of(name))


def key_of(values: Any) -> str | None:
    """The one value of an input; None where rows have several, or none.

    >>> (
    ...     key_of([["ada"], ["ada"]]),
    ...     key_of([7]),
    ...     key_of(["ada", "bob"]),
    ...     key_of(None),
    ...     key_of(np.array([b"ada"], object)),
    ... )
    ('ada', '7', None, None, 'ada')
    """
    if isinstance(values, np.ndarray):
        values = values.reshape(-1).tolist()
    texts = {_text(leaf) for leaf in _leaves(values)}
    return texts.pop() if len(texts) == 1 else None


def _leaves(values: Any) -> Iterable[Any]:
    if isinstance(values, list | tuple):
        for value in values:
            yield from _leaves(value)
    elif values is not None:
        yield values


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return text if 0 < len(text) <= MOST_CHARACTERS else None


def values_in(document: Mapping[str, Any]) -> Callable[[str], Any]:
    """What finds an input's values in the document of a REST request: its rows, columns or examples."""

    def values_of(name: str) -> Any:
        rows = document.get("instances", document.get("examples"))
        if isinstance(rows, list):
            return [row.get(name) if isinstance(row, dict) else None for row in rows]
        columns = document.get("inputs")
        return columns.get(name) if isinstance(columns, dict) else None

    return values_of


def split_by_model(splits: Iterable[Split | None]) -> dict[str, Split]:
    """The splits by their models."""
    return {split.model: split for split in splits if split is not None}
