"""Slightly altered conditions, to see whether a gain survives them: deterministic from a seed, labels untouched."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, Protocol

import numpy as np
from scipy import ndimage

from monitoring.errors import BadInput
from pitfalls_tf.remedies.preprocessing import numeric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pitfalls_tf.rows.examples import Examples, Shape

Kind = Literal["images", "tables"]


class Alteration(Protocol):
    """A change of rows before they are predicted; `kinds` of rows it is made for."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """Images, tables, or both."""

    def __call__(self, examples: Examples, *, seed: int) -> Examples:
        """As many rows, in the same order, with the same labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Normal noise of `share` of the deviation of each number or channel; what was 0 to 1 in images stays inside."""

    share: float = 0.25

    @property
    def kinds(self) -> frozenset[Kind]:
        """Both."""
        return frozenset({"images", "tables"})

    def __call__(self, examples: Examples, *, seed: int) -> Examples:
        """Categories and gap indicators stay as they are."""
        columns = numeric(examples)
        inputs = examples.inputs.copy()
        values = inputs[..., columns]
        spread = values.reshape(-1, len(columns)).std(axis=0)
        noise = np.random.default_rng(seed).standard_normal(values.shape, dtype=np.float32)
        altered = values + np.float32(self.share) * spread * noise
        if inputs.ndim > 2:
            altered = altered.clip(values.min(), values.max())
        inputs[..., columns] = altered
        return replace(examples, inputs=inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blur:
    """A Gaussian blur of `pixels` deviation; nothing comes in from outside but the border's own pixels."""

    pixels: float = 0.8

    @property
    def kinds(self) -> frozenset[Kind]:
        """Images."""
        return frozenset({"images"})

    def __call__(self, examples: Examples, *, seed: int) -> Examples:
        """Nothing random about it."""
        del seed
        inputs = ndimage.gaussian_filter(examples.inputs, sigma=(0, self.pixels, self.pixels, 0), mode="nearest")
        return replace(examples, inputs=inputs.astype(np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Every image turned by its own angle, uniform within ± `degrees`, bilinear; corners take the border's value."""

    degrees: float = 15.0

    @property
    def kinds(self) -> frozenset[Kind]:
        """Images."""
        return frozenset({"images"})

    def __call__(self, examples: Examples, *, seed: int) -> Examples:
        """Cost: about a second for 8,000 images of 28 x 28."""
        angles = np.random.default_rng(seed).uniform(-self.degrees, self.degrees, len(examples))
        inputs = examples.inputs.copy()
        for place, angle in enumerate(angles):
            inputs[place] = ndimage.rotate(
                inputs[place], angle, axes=(0, 1), reshape=False, order=1, mode="nearest", prefilter=False
            )
        return replace(examples, inputs=inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingCategory:
    """The widest category unknown in `share` of the rows, to the nearest: all of its columns 0, as one never seen."""

    share: float = 0.1

    @property
    def kinds(self) -> frozenset[Kind]:
        """Tables."""
        return frozenset({"tables"})

    def __call__(self, examples: Examples, *, seed: int) -> Examples:
        """Which rows follows from the seed.

        Raises:
            BadInput: the table has no category.
        """
        if not examples.tokens or max(examples.tokens) < 2:
            raise BadInput(
                "There is no category that could be missing.",
                got="numbers alone",
                expected="a table with a category of two values or more",
                fix="Choose another alteration, such as noise.",
            )
        widest = int(np.argmax(examples.tokens))
        start = sum(examples.tokens[:widest])
        chosen = np.random.default_rng(seed).permutation(len(examples))[: round(self.share * len(examples))]
        inputs = examples.inputs.copy()
        inputs[chosen, start : start + examples.tokens[widest]] = 0
        return replace(examples, inputs=inputs)


ALTERATIONS: Final[Mapping[str, Alteration]] = MappingProxyType(
    {"noise": Noise(), "blur": Blur(), "rotation": Rotation(), "missing_category": MissingCategory()}
)


def find(name: str, shape: Shape) -> Alteration:
    """The alteration of that name, for rows of that shape.

    Raises:
        BadInput: there is none, and the message names the nearest; or it is not for such rows.
    """
    kind: Kind = "images" if len(shape.inputs) == 3 else "tables"
    fit = [one for one, alteration in ALTERATIONS.items() if kind in alteration.kinds]
    if name not in ALTERATIONS:
        near = difflib.get_close_matches(name, fit, n=1)
        raise BadInput(
            "No such alteration.",
            got=repr(name),
            expected=f"one of: {', '.join(fit)}",
            fix=f"Did you mean {near[0]}?" if near else "Choose one of those.",
        )
    if name not in fit:
        raise BadInput(
            f"{name} is not for {kind}.",
            got=f"rows of shape {shape.inputs}",
            expected=" or ".join(sorted(ALTERATIONS[name].kinds)),
            fix=f"Choose one of: {', '.join(fit)}.",
        )
    return ALTERATIONS[name]


def another_month(pool: Examples, examples: Examples) -> Examples:
    """The rows of `pool` in the first calendar month after those of `examples` in which their domains have any.

    Raises:
        BadInput: there is no later month, or no times.
    """
    domains = pool.where(np.isin(pool.domains, examples.names))
    later = domains.times.astype("datetime64[M]")
    last = examples.times.max().astype("datetime64[M]") if len(examples) else np.datetime64("NaT")
    after = later[later > last]  # NaT is later than nothing
    if not len(after):
        raise BadInput(
            "There is no other month.",
            got=f"{len(domains)} rows of the same domains, none after {last}",
            expected="rows with times after it",
            fix="Leave the last month out of the rows to alter, or choose another alteration.",
        )
    return domains.where(later == after.min())
