"""Letters of 240 typeface families: a family is a domain, as a scanner or a site is.

A kind is a group of families by their names alone, such as monospaced ones, so that it needs no opinion on design.

Data and licences: `pitfalls_tf/data/PROVENANCE.md`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from pitfalls_tf.rows.examples import Examples

Kind = Literal["monospaced", "ornamental", "sans", "serif", "other"]

NAME: Final = "letters"
CLASSES: Final = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
SIDE: Final = 20
# The first expression that a family's name contains decides its kind.
KINDS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("ornamental", re.compile(r"\bBRK\b")),  # all families of the package fonts-aenigma
    ("monospaced", re.compile(r"mono|\bcode\b|typewriter|courier|3270", re.IGNORECASE)),
    ("sans", re.compile("sans", re.IGNORECASE)),
    ("serif", re.compile("serif", re.IGNORECASE)),
    ("other", re.compile("")),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Letters:
    """All images, family after family.

    Attributes:
        examples: upper and lower case of a letter are one class; the domain is the family. Every time is NaT.
        styles: style of the family, such as `Bold Italic`, str [n].
        kinds: kind of the family, str [n].
    """

    examples: Examples
    styles: NDArray[np.str_]
    kinds: NDArray[np.str_]

    def families(self, kind: Kind) -> tuple[str, ...]:
        """The families of a kind, sorted."""
        names = tuple(np.unique(self.examples.domains[self.kinds == kind]).tolist())
        if not names:
            raise BadInput(
                "No family is of that kind.",
                got=repr(kind),
                expected=f"one of: {', '.join(name for name, _ in KINDS)}",
                fix="Choose one of those.",
            )
        return names


def kind_of(family: str) -> Kind:
    """The kind of a family by its name.

    >>> [kind_of(family) for family in ("DejaVu Sans Mono", "DejaVu Sans", "Bandwidth BRK", "Vollkorn")]
    ['monospaced', 'sans', 'ornamental', 'other']
    """
    return next(kind for kind, expression in KINDS if expression.search(family))


@lru_cache(maxsize=1)
def load() -> Letters:
    """Load all letters, in the order of the file.

    Returns:
        26,416 examples with inputs float32 [n, 20, 20, 1], ink 1 on paper 0 in 16 grey levels. The images have no
        dates; the order of rows has nothing to do with time.

    Cost: about 0.2 s and 45 MB.

    >>> letters = load()
    >>> letters.examples.inputs.shape, len(letters.examples.names), len(letters.families("monospaced"))
    ((26416, 20, 20, 1), 240, 27)
    """
    with (
        as_file(files("pitfalls_tf.data") / "letters_240families_20px.npz") as path,
        np.load(path, allow_pickle=False) as held,
    ):
        pixels, targets = held["pixels"], held["letter"].astype(np.int64)
        families, styles = held["families"][held["family"]], held["styles"][held["style"]]
    # Two pixels of 4 bits are one byte, the left one in its high half.
    grey = np.stack([pixels >> 4, pixels & 15], axis=-1).reshape(-1, SIDE, SIDE, 1)
    kinds = {family: kind_of(family) for family in np.unique(families).tolist()}
    return Letters(
        examples=Examples(
            inputs=grey.astype(np.float32) / np.float32(15),
            targets=targets,
            domains=families,
            times=np.full(len(targets), "NaT", dtype="datetime64[us]"),
            classes=CLASSES,
        ),
        styles=styles,
        kinds=np.array([kinds[family] for family in families.tolist()]),
    )
