"""A window's profile checked against the TFDV schema: anomalies, and distances that its comparators bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from monitoring.baseline.comparators import Comparators
from monitoring.baseline.profile import Bins, Profile
from monitoring.baseline.schema import validate
from monitoring.baseline.statistics import dataset_statistics
from monitoring.records import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check of one window found.

    Attributes:
        statistics: The window's statistics, as text, for the drift comparators of the next window; empty where the
            schema has none.
    """

    findings: tuple[Finding, ...] = ()
    statistics: str = ""


#: Checks a window's profile, given the inputs known to be absent and the statistics of the window before.
ProfileCheck: TypeAlias = Callable[[Profile, tuple[str, ...], str], CheckResult]


class SchemaCheck:
    """Checks windows against a schema. A `ProfileCheck`.

    Args:
        load: Returns the schema, a `tensorflow_metadata` `Schema`; None for no check. Called at the first window with
            rows.
    """

    def __init__(self, load: Callable[[], Any], bins: tuple[Bins, ...], baseline: Profile) -> None:
        self._load = load
        self._bins = bins
        self._baseline = baseline
        self._loaded: tuple[Comparators, Any] | None = None
        self._is_off = False

    def __call__(self, profile: Profile, absent: tuple[str, ...], previous: str) -> CheckResult:
        """Check one window. A window without rows has no findings, and leaves `previous` to the next.

        Args:
            previous: `CheckResult.statistics` of the window before.

        Returns:
            Anomalies, skew from the baseline and drift from the window before.

        Raises:
            CannotRun: The schema is missing, or TFDV is, which checks by it.
            BadInput: A comparator of the schema could never find anything.
        """
        if not profile.rows or self._is_off:
            return CheckResult(statistics=previous)
        if self._loaded is None:
            schema = self._load()
            if schema is None:
                self._is_off = True
                return CheckResult(statistics=previous)
            comparators = Comparators.of(schema, self._bins)
            baseline = dataset_statistics(self._baseline, self._bins, histograms=comparators.with_histograms)
            self._loaded = (comparators, baseline)
        comparators, baseline = self._loaded
        window = dataset_statistics(profile, self._bins, without=absent, histograms=comparators.with_histograms)
        return CheckResult(
            findings=(
                *validate(window, comparators.schema),
                *comparators.against_baseline(window, baseline),
                *comparators.against_previous(window, previous),
            ),
            statistics=comparators.compared_statistics(window),
        )
