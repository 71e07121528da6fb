"""Names of losses and watches of one output of several, of one class and of a number's aspects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: What precedes an output's name in the name of a feature.
OF_OUTPUT = "output "

#: What precedes an output's name, and what the names of watches about a loss begin with.
OF = "of:"
_BEFORE = ("surprise_", "material_", "estimated_")

#: What ends the name of a watch on where numbers lie, and on how widely.
ASPECTS = (":location", ":spread")

#: Watches on answers and labels whose names say what they are on, as that of a class would.
_OF_NO_CLASS = {"output:confidence", "label:new_ids", "label:common_ids"}

#: The kinds of watches that are on where numbers lie.
_ON_NUMBERS = {"input", "prediction", "label"}


def class_watch(before: str, value: str) -> str:
    """The name of a watch on one class or category: in quotes where it would read as the name of another watch.

    >>> class_watch("label:", "yes"), class_watch("label:", "location"), class_watch("input:hall=", "3:spread")
    ('label:yes', 'label:"location"', 'input:hall="3:spread"')
    """
    name = f"{before}{value}"
    return f'{before}"{value}"' if name.endswith(ASPECTS) or name in _OF_NO_CLASS else name


def is_of_numbers(watch: str) -> bool:
    """Whether a watch is on where numbers lie, or on how widely, by its name.

    >>> is_of_numbers("label:price:location"), is_of_numbers('label:"location"'), is_of_numbers("missing:gps:location")
    (True, False, False)
    """
    return watch.endswith(ASPECTS) and split_output(watch)[1].partition(":")[0] in _ON_NUMBERS


def named(output: str, watch: str) -> str:
    """The name of a loss or a watch of one output.

    >>> named("price", "absolute_error"), named("price", "surprise_absolute_error")
    ('of:price:absolute_error', 'surprise_of:price:absolute_error')
    """
    before = next((each for each in _BEFORE if watch.startswith(each)), "")
    return f"{before}{OF}{output}:{watch.removeprefix(before)}"


def split_output(watch: str) -> tuple[str, str]:
    """The inverse of `named`.

    >>> split_output("surprise_of:price:bias"), split_output("brier")
    (('price', 'surprise_bias'), ('', 'brier'))

    Returns:
        The output's name, empty where it is of no output of several; and what its own task calls it.
    """
    before = next((each for each in _BEFORE if watch.startswith(each)), "")
    kind = watch.removeprefix(before)
    if not kind.startswith(OF):
        return "", watch
    output, _, name = kind.removeprefix(OF).partition(":")
    return output, f"{before}{name}"


def first_of_each(watches: Iterable[str], order: Sequence[str]) -> tuple[str, ...]:
    """Of some watches the first in an order; of several outputs that of each output.

    >>> first_of_each(["error", "brier"], ("brier", "error"))
    ('brier',)
    >>> first_of_each(["of:price:bias", "of:kind:error", "of:kind:brier"], ("brier", "error", "bias"))
    ('of:price:bias', 'of:kind:brier')
    """
    by_output: dict[str, set[str]] = {}
    for output, watch in map(split_output, watches):
        by_output.setdefault(output, set()).add(watch)
    firsts = ((output, next((watch for watch in order if watch in names), None)) for output, names in by_output.items())
    return tuple(named(output, first) if output else first for output, first in firsts if first is not None)
