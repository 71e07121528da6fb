"""Where the runs of a composed setup go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where runs go: the folder of OUT/SETUP, whether older ones are deleted first, and TensorBoard's logs if asked."""

    out: Path
    fresh: bool = False
    tensorboard: Path | None = None
