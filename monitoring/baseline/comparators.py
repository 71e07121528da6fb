"""TFDV's comparators: how far a window is from the baseline (skew), and from the window before it (drift).

They are thresholds on distances that somebody wrote into the schema, one column each. They have no false-alarm rate, so
what exceeds them is reported as a finding and raises no alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitoring.baseline.profile import Bins
from monitoring.baseline.schema import SERVING, anomalies
from monitoring.errors import BadInput
from monitoring.records import Finding

#: The three distances that a comparator may bound: the field with the threshold, TFDV's name of the measurement, and
#: words for it. Only the second is defined for numbers; TFDV returns 0 for the others there, whatever the rows.
_MEASURES = (
    ("infinity_norm", "L_INFTY", "L-infinity distance"),
    ("jensen_shannon_divergence", "JENSEN_SHANNON_DIVERGENCE", "Jensen-Shannon divergence"),
    ("normalized_abs_difference", "NORMALIZED_ABSOLUTE_DIFFERENCE", "normalised absolute difference"),
)
#: Fields of a schema whose rules need a column's histograms.
_BY_HISTOGRAM = ("float_domain", "int_domain", "domain")
_FOR_NUMBERS = "jensen_shannon_divergence"
_WORDS = {measured: words for _, measured, words in _MEASURES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparators:
    """The columns of a schema that carry a `skew_comparator`, and those with a `drift_comparator`.

    Statistics are `DatasetFeatureStatisticsList`s of `dataset_statistics`, all over the same bins. Distances of text
    are TFDV's own to the last digit while a column has fewer words than are ranked; the divergence of numbers is that
    of two histograms of ten buckets, each read off the baseline's bins.

    Source: `tensorflow_metadata.proto.v0.schema_pb2.FeatureComparator`; TFDV's `validate_statistics`.
    """

    schema: Any
    skewed: frozenset[str]
    drifting: frozenset[str]

    @classmethod
    def of(cls, schema: Any, bins: tuple[Bins, ...]) -> Comparators:
        """The comparators of a schema."""
        numbers = {b.feature: b.edges is not None for b in bins}
        skewed: set[str] = set()
        drifting: set[str] = set()
        for feature in schema.feature:
            for field, names in (("skew_comparator", skewed), ("drift_comparator", drifting)):
                if not feature.HasField(field):
                    continue
                comparator = getattr(feature, field)
                named = [name for name, _, _ in _MEASURES if comparator.HasField(name)]
                _check_effective(feature.name, field, named, numbers)
                if named:
                    names.add(feature.name)
        return cls(schema=schema, skewed=frozenset(skewed), drifting=frozenset(drifting))

    @property
    def with_histograms(self) -> frozenset[str]:
        """The columns whose histograms a check needs: those compared, and those with rules for numbers."""
        ruled = {feature.name for feature in self.schema.feature if feature.WhichOneof("domain_info") in _BY_HISTOGRAM}
        return self.skewed | self.drifting | ruled

    def against_baseline(self, window: Any, baseline: Any) -> tuple[Finding, ...]:
        """A finding of kind "skew" for each column of a window beyond its threshold. Cost: about a millisecond."""
        if not self.skewed:
            return ()
        result = anomalies(baseline, self.schema, environment=SERVING, serving=window)
        return _beyond(result, "skew_measurements", "skew", "from the baseline")

    def against_previous(self, window: Any, previous: str) -> tuple[Finding, ...]:
        """A finding of kind "drift" for each column beyond its threshold.

        Args:
            previous: What `compared_statistics` returned for the previous window; empty for none.
        """
        if not self.drifting or not previous:
            return ()
        from google.protobuf import json_format  # noqa: PLC0415 - protobuf, not needed to judge
        from tensorflow_metadata.proto.v0 import statistics_pb2  # noqa: PLC0415 - as above

        before = json_format.Parse(previous, statistics_pb2.DatasetFeatureStatisticsList())
        result = anomalies(window, self.schema, environment=SERVING, previous=before)
        return _beyond(result, "drift_measurements", "drift", "from the window before")

    def compared_statistics(self, window: Any) -> str:
        """A window's statistics of the compared columns as text, for the next window; empty if none is compared."""
        if not self.drifting:
            return ""
        from google.protobuf import json_format  # noqa: PLC0415 - protobuf, not needed to judge
        from tensorflow_metadata.proto.v0 import statistics_pb2  # noqa: PLC0415 - as above

        statistics = statistics_pb2.DatasetFeatureStatisticsList()
        dataset = statistics.datasets.add(num_examples=window.datasets[0].num_examples)
        dataset.features.extend(f for f in window.datasets[0].features if f.path.step[0] in self.drifting)
        return str(json_format.MessageToJson(statistics, indent=None))


def _beyond(result: Any, measurements: str, kind: str, origin: str) -> tuple[Finding, ...]:
    """Measurements beyond their threshold, by column name."""
    findings = []
    for info in sorted(result.drift_skew_info, key=lambda info: tuple(info.path.step)):
        name = ".".join(info.path.step)
        for measurement in getattr(info, measurements):
            if measurement.value > measurement.threshold:
                words = _WORDS[measurement.Type.Name(measurement.type)]
                allowed = f"its comparator allows {measurement.threshold:g}"
                message = f"{name}: {words} {origin} {measurement.value:.3g}; {allowed}."
                findings.append(Finding(kind=kind, feature=name, message=message))
    return tuple(findings)


def _check_effective(feature: str, field: str, named: list[str], numbers: dict[str, bool]) -> None:
    if feature not in numbers:
        raise BadInput(
            "A comparator is set on a column that no window has.",
            got=f"{field} of {feature!r}",
            expected=f"an input of the model: {', '.join(sorted(numbers)[:20])}",
            fix="Remove it from schema.pbtxt.",
        )
    silent = [name for name in named if numbers[feature] and name != _FOR_NUMBERS]
    if silent:
        raise BadInput(
            "This comparator can never find anything: TFDV measures the distance on categories alone.",
            got=f"{field} {{ {silent[0]} }} of {feature!r}, a numeric input",
            expected=f"{_FOR_NUMBERS}",
            fix="Change it in schema.pbtxt.",
        )
