"""Slightly altered conditions: noise, blur, rotation, missing categories, another month. Labels stay as they are."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal, Protocol

import numpy as np
from scipy import ndimage

from monitoring.errors import BadInput
from pitfalls_tf.remedies.preprocessing import numeric_columns
from pitfalls_tf.rows.examples import Examples, Shape

Kind = Literal["images", "tables"]


class Alteration(Protocol):
    """A change of the inputs before prediction, deterministic given the seed."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """Kinds of rows that it applies to."""

    def __call__(self, examples: Examples, *, seed: int) -> Examples:
        """Alter the inputs; rows keep their order and labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Normal noise with `share` of the standard deviation of each number or channel; images stay in their range."""

    share: float = 0.25

    @property
    def kinds(self) -> frozenset[Kind]:
        """Images and tables."""
        return frozenset({"images", "tables"})

    def __call__(self, examples: Examples, *, seed: int) -> Examples:
        """Add the noise; categories and gap indicators stay as they are."""
        columns = numeric_columns(examples)
        inputs = examples.inputs.copy()
        values = inputs[..., columns]
        deviation = values.reshape(-1, len(columns)).std(axis=0)
        noise = np.random.default_rng(seed).standard_normal(values.shape, dtype=np.float32)
        altered = values + np.float32(self.share) * deviation * noise
        if inputs.ndim > 2:
            altered = altered.clip(values.min(), values.max())
        inputs[..., columns] = altered
        return replace(examples, inputs=inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blur:
    """Gaussian blur with a standard deviation of `pixels`; pixels outside the image equal the nearest border pixel."""

    pixels: float = 0.8

    @property
    def kinds(self) -> frozenset[Kind]:
        """Images."""
        return frozenset({"images"})

    def __call__(self, examples: Examples, *, seed: int) -> Examples:
        """Blur every image; the seed is not used."""
        del seed
        inputs = ndimage.gaussian_filter(examples.inputs, sigma=(0, self.pixels, self.pixels, 0), mode="nearest")
        return replace(examples, inputs=inputs.astype(np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Rotation of each image by its own angle, uniform within ± `degrees`, bilinear; corners copy the border."""

    degrees: float = 15.0

    @property
    def kinds(self) -> frozenset[Kind]:
        """Images."""
        return frozenset({"images"})

    def __call__(self, examples: Examples, *, seed: int) -> Examples:
        """Rotate every image. Cost: about a second for 8,000 images of 28 x 28."""
        angles = np.random.default_rng(seed).uniform(-self.degrees, self.degrees, len(examples))
        inputs = examples.inputs.copy()
        for index, angle in enumerate(angles):
            inputs[index] = ndimage.rotate(
                inputs[index], angle, axes=(0, 1), reshape=False, order=1, mode="nearest", prefilter=False
            )
        return replace(examples, inputs=inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingCategory:
    """The widest category is unknown in `share` of the rows: all of its columns are 0, as for an unseen value."""

    share: float = 0.1

    @property
    def kinds(self) -> frozenset[Kind]:
        """Tables."""
        return frozenset({"tables"})

    def __call__(self, examples: Examples, *, seed: int) -> Examples:
        """Blank the category in rows that the seed selects."""
        if not examples.tokens or max(examples.tokens) < 2:
            raise BadInput(
                "The table has no category to blank.",
                got="numbers only",
                expected="a table with a category of at least two values",
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
    """Find an alteration by name, for rows of a given shape. `shape`: shape of the rows."""
    kind: Kind = "images" if len(shape.inputs) == 3 else "tables"
    fitting = [name for name, alteration in ALTERATIONS.items() if kind in alteration.kinds]
    if name not in ALTERATIONS:
        near = difflib.get_close_matches(name, fitting, n=1)
        raise BadInput(
            "No such alteration.",
            got=repr(name),
            expected=f"one of: {', '.join(fitting)}",
            fix=f"Did you mean {near[0]}?" if near else "Choose one of those.",
        )
    if name not in fitting:
        raise BadInput(
            f"{name} does not apply to {kind}.",
            got=f"rows of shape {shape.inputs}",
            expected=" or ".join(sorted(ALTERATIONS[name].kinds)),
            fix=f"Choose one of: {', '.join(fitting)}.",
        )
    return ALTERATIONS[name]
