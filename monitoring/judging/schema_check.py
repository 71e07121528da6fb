"""A window held against the schema: what it forbids, and what its comparators measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitoring.baseline.comparators import Comparators
from monitoring.baseline.profile import Bins, Profile
from monitoring.baseline.schema import load_schema, validate
from monitoring.baseline.statistics import dataset_statistics
from monitoring.records import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a window's check found, and what the next window is compared with (empty while nothing is)."""

    findings: tuple[Finding, ...] = ()
    previous: str = ""


#: Holds a window's profile against the schema; told which inputs are absent, and what the window before left.
Check = Callable[[Profile, tuple[str, ...], str], Checked]


class SchemaCheck:
    """A `Check` by the schema in a file, which is read when the first window needs it.

    `baseline` is the reference's profile over the same bins. A window without rows finds nothing, and what the one
    before it left stays.
    """

    def __init__(self, path: Path, bins: tuple[Bins, ...], baseline: Profile) -> None:
        self._path = path
        self._bins = bins
        self._baseline = baseline
        self._read: tuple[Comparators, Any] | None = None

    def __call__(self, counts: Profile, absent: tuple[str, ...], previous: str) -> Checked:
        """Check one window. Raises CannotRun where there is no schema, BadInput for a comparator that is blind."""
        if not counts.rows:
            return Checked(previous=previous)
        if self._read is None:
            comparators = Comparators.of(load_schema(self._path), self._bins)
            self._read = (comparators, dataset_statistics(self._baseline, self._bins, drawn=comparators.drawn))
        comparators, baseline = self._read
        window = dataset_statistics(counts, self._bins, without=absent, drawn=comparators.drawn)
        return Checked(
            findings=(
                *validate(window, comparators.schema),
                *comparators.against_baseline(window, baseline),
                *comparators.against_previous(window, previous),
            ),
            previous=comparators.kept(window),
        )
