"""An experiment: claims with decision rules fixed in advance, a measurement, findings, and a figure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa
    from matplotlib.figure import Figure

    from pitfalls_tf.experiments.claim import Claim, ClaimFinding
    from pitfalls_tf.experiments.run_store import RunStore


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshRuns:
    """Runs of seeds that no first run had, as many as the plan says; they decide the claims.

    Attributes:
        measure: runs the setups that the claims need on a source, given the rows of its first runs; returns rows as
            the first runs do, of the seeds of `GridSize.fresh_seeds`.
        most: largest affordable number of runs of a setup, by source. Other sources have no fresh runs.
        domains: largest number of fresh domains, by source. Other sources have those of their first runs.
    """

    measure: Callable[[RunStore, str, pa.Table], pa.Table]
    most: Mapping[str, int]
    domains: Mapping[str, int] = field(default_factory=dict)
    with_epochs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A figure of the paper.

    Attributes:
        caption: how to read the figure; nothing that depends on the results.
        findings: estimates the quantities from all rows; at least one finding per claim. Where a source has fresh
            runs, they are from those.
        fresh: the fresh runs; None if the first ones decide.
    """

    name: str
    title: str
    caption: str
    claims: tuple[Claim, ...]
    sources: tuple[str, ...]
    quick_sources: tuple[str, ...]
    measure: Callable[[RunStore, str], pa.Table]
    findings: Callable[[pa.Table], tuple[ClaimFinding, ...]]
    draw: Callable[[pa.Table, Sequence[ClaimFinding]], Figure]
    summary: Callable[[pa.Table], pa.Table]
    tables: Callable[[pa.Table], Mapping[str, pa.Table]] = lambda _: {}
    fresh: FreshRuns | None = None
    remarks: tuple[str, ...] = ()
