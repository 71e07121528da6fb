"""The monitor's own evidence, as metrics that Evidently shows and tests next to its own."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from monitoring.reports.drift_sample import plain
from monitoring.reports.drift_summary import WatchVerdict

#: Evidence is shown up to here; beyond an alarm its size says nothing more, and JSON has no infinity.
LARGEST = 1e12


def verdict_metrics(verdicts: Sequence[WatchVerdict]) -> list[Any]:
    """One Evidently metric for each verdict; a level's has a test that fails when its evidence has alarmed."""
    from evidently.tests import lt  # noqa: PLC0415  # seconds

    return [
        _metric_type()(watch=plain(verdict.name), tests=[] if verdict.threshold is None else [lt(verdict.threshold)])
        for verdict in verdicts
    ]


def verdict_metadata(verdicts: Sequence[WatchVerdict]) -> dict[str, Any]:
    """The metadata of the current data set in which the metrics find their values.

    A value must not be a field of its metric: fields are the metric's identity, and a series of reports would
    become a series of metrics with one point each.

    Args:
        verdicts: The monitor's own evidence.
    """
    return {
        "evidence": {plain(verdict.name): min(verdict.evidence, LARGEST) for verdict in verdicts},
        "threshold": {plain(verdict.name): verdict.threshold for verdict in verdicts},
    }


@functools.cache
def _metric_type() -> Any:
    from evidently.core.metric_types import SingleValueCalculation, SingleValueMetric  # noqa: PLC0415  # seconds
    from evidently.legacy.renderers.html_widgets import CounterData, WidgetSize, counter  # noqa: PLC0415  # as above

    class WatchEvidence(SingleValueMetric):  # type: ignore[misc]  # Evidently has no types
        """The evidence of one watch."""

        watch: str

    class WatchEvidenceCalculation(SingleValueCalculation[WatchEvidence]):  # type: ignore[misc]  # as above
        """Looks the evidence up in the data set's metadata."""

        def calculate(self, context: Any, current_data: Any, reference_data: Any) -> Any:
            """The result for the current side, and none for the reference."""
            watch = self.metric.watch
            value, threshold = (current_data.metadata[name][watch] for name in ("evidence", "threshold"))
            result = self.result(float(value))
            kind = "evidence of this watch alone" if threshold is None else f"evidence (threshold {threshold:,.0f})"
            shown = "over 1,000,000" if value > 1e6 else f"{value:,.2f}" if value < 10 else f"{value:,.0f}"
            result.widget = [
                counter(counters=[CounterData(label=f"{watch}: {kind}", value=shown)], size=WidgetSize.HALF)
            ]
            return result, None

        def display_name(self) -> str:
            """The metric's title."""
            return f"Evidence of the monitor: {self.metric.watch}"

    return WatchEvidence
