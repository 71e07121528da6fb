"""TFDV's comparators: how far a window lies from the baseline (skew), and from the window before it (drift).

They are thresholds on distances that somebody wrote into the schema, for one column each. They have no rate of false
alarms, so what they find is told and raises no alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitoring.baseline.profile import Bins
from monitoring.baseline.schema import SERVING
from monitoring.baseline.validator import anomalies
from monitoring.errors import BadInput
from monitoring.records import Finding

#: The three distances that a comparator may bound: the field that sets the threshold, TFDV's name of what it measured,
#: and in words. Only the second is defined for numbers; the others come out as 0 there, whatever the rows.
_MEASURES = (
    ("infinity_norm", "L_INFTY", "L-infinity distance"),
    ("jensen_shannon_divergence", "JENSEN_SHANNON_DIVERGENCE", "Jensen-Shannon divergence"),
    ("normalized_abs_difference", "NORMALIZED_ABSOLUTE_DIFFERENCE", "normalised absolute difference"),
)
#: Where a schema's rules for a column may look at its histograms.
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
        """The comparators of `schema` for columns counted in `bins`.

        Raises BadInput for one that could never find anything: on a column that no window holds, or one of numbers
        that is compared by a distance of categories.
        """
        numbers = {b.feature: b.edges is not None for b in bins}
        skewed: set[str] = set()
        drifting: set[str] = set()
        for feature in schema.feature:
            for field, found in (("skew_comparator", skewed), ("drift_comparator", drifting)):
                if not feature.HasField(field):
                    continue
                comparator = getattr(feature, field)
                named = [name for name, _, _ in _MEASURES if comparator.HasField(name)]
                _refuse_silent(feature.name, field, named, numbers)
                if named:
                    found.add(feature.name)
        return cls(schema=schema, skewed=frozenset(skewed), drifting=frozenset(drifting))

    @property
    def drawn(self) -> frozenset[str]:
        """The columns of which a check needs histograms: those compared, and those with rules for numbers."""
        ruled = {feature.name for feature in self.schema.feature if feature.WhichOneof("domain_info") in _BY_HISTOGRAM}
        return self.skewed | self.drifting | ruled

    def against_baseline(self, window: Any, baseline: Any) -> tuple[Finding, ...]:
        """A finding of kind "skew" for each column beyond its threshold. Cost: a millisecond or so."""
        if not self.skewed:
            return ()
        found = anomalies(baseline, self.schema, environment=SERVING, serving=window)
        return _beyond(found, "skew_measurements", "skew", "from the baseline")

    def against_previous(self, window: Any, previous: str) -> tuple[Finding, ...]:
        """A finding of kind "drift" for each column beyond its threshold; none where `previous` is empty.

        `previous` is what `kept` made of the window before.
        """
        if not self.drifting or not previous:
            return ()
        from google.protobuf import json_format  # noqa: PLC0415 - protobuf, not needed to judge
        from tensorflow_metadata.proto.v0 import statistics_pb2  # noqa: PLC0415 - as above

        before = json_format.Parse(previous, statistics_pb2.DatasetFeatureStatisticsList())
        found = anomalies(window, self.schema, environment=SERVING, previous=before)
        return _beyond(found, "drift_measurements", "drift", "from the window before")

    def kept(self, window: Any) -> str:
        """What the next window's drift is measured from, as text; empty where nothing is compared."""
        if not self.drifting:
            return ""
        from google.protobuf import json_format  # noqa: PLC0415 - protobuf, not needed to judge
        from tensorflow_metadata.proto.v0 import statistics_pb2  # noqa: PLC0415 - as above

        kept = statistics_pb2.DatasetFeatureStatisticsList()
        dataset = kept.datasets.add(num_examples=window.datasets[0].num_examples)
        dataset.features.extend(f for f in window.datasets[0].features if f.path.step[0] in self.drifting)
        return str(json_format.MessageToJson(kept, indent=None))


def _beyond(found: Any, measurements: str, kind: str, origin: str) -> tuple[Finding, ...]:
    """What lies beyond its threshold, by name of the column."""
    findings = []
    for info in sorted(found.drift_skew_info, key=lambda info: tuple(info.path.step)):
        name = ".".join(info.path.step)
        for one in getattr(info, measurements):
            if one.value > one.threshold:
                words = _WORDS[one.Type.Name(one.type)]
                message = f"{name}: {words} {origin} {one.value:.3g}; its comparator allows {one.threshold:g}."
                findings.append(Finding(kind=kind, feature=name, message=message))
    return tuple(findings)


def _refuse_silent(feature: str, field: str, named: list[str], numbers: dict[str, bool]) -> None:
    if feature not in numbers:
        raise BadInput(
            "A comparator stands on a column that no window holds.",
            got=f"{field} of {feature!r}",
            expected=f"an input of the model: {', '.join(sorted(numbers)[:20])}",
            fix="Remove it from schema.pbtxt.",
        )
    silent = [name for name in named if numbers[feature] and name != _FOR_NUMBERS]
    if silent:
        raise BadInput(
            "A comparator on numbers would find nothing: TFDV measures this distance on categories alone.",
            got=f"{field} {{ {silent[0]} }} of {feature!r}, an input of numbers",
            expected=f"{_FOR_NUMBERS}",
            fix="Change it in schema.pbtxt.",
        )
