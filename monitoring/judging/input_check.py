"""A window's inputs checked: absent, of another type, missing in every row, or outside the schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeAlias

from monitoring.baseline.comparators import Comparators
from monitoring.baseline.profile import Bins, Profile
from monitoring.baseline.schema import validate
from monitoring.baseline.statistics import dataset_statistics
from monitoring.records import Finding
from monitoring.records.finding_parts import AllMissing, UnreadInput

#: An input missing in a larger share of the baseline's rows may be missing in every row of a window.
MAX_MISSING_SHARE = 0.5


class InputCheck:
    """Checks the inputs of one window."""

    def __init__(
        self,
        bins: Sequence[Bins],
        schema: ProfileCheck,
        *,
        min_rows: int,
        optional: frozenset[str] = frozenset(),
        sources: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._bins = tuple(bins)
        self._schema = schema
        self._min_rows = min_rows
        self._optional = optional
        self._sources = sources
        self._descriptions = Counter(sources.values())

    def check(self, profile: Profile, problems: tuple[tuple[str, str], ...], previous: str) -> CheckResult:
        """Check one window; one without rows has no findings, and leaves `previous` to the next.

        Returns:
            Facts first, then what the schema adds about other inputs.
        """
        if profile.rows == 0:
            return CheckResult(statistics=previous)
        facts = (*_absent_or_retyped(problems), *self._all_missing(profile, problems))
        broken = tuple(dict(problems))
        fact_keys = {(fact.kind, fact.feature) for fact in facts}
        checked = self._schema(profile, broken, previous)
        others = (f for f in checked.findings if (f.kind, f.feature) not in fact_keys and f.feature not in broken)
        return CheckResult(findings=(*self._by_column(facts), *others), statistics=checked.statistics)

    def _by_column(self, facts: Sequence[Finding]) -> Iterator[Finding]:
        """The facts, with one for a column in place of those of everything that describes it."""
        owners: dict[tuple[str, str], list[Finding]] = {}
        for fact in facts:
            owners.setdefault((fact.kind, self._sources.get(fact.feature, fact.feature)), []).append(fact)
        for (_, owner), findings in owners.items():
            if len(findings) == self._descriptions.get(owner):
                yield replace(findings[0], feature=owner)
            else:
                yield from findings

    def _all_missing(self, profile: Profile, problems: tuple[tuple[str, str], ...]) -> tuple[Finding, ...]:
        if profile.rows < self._min_rows:
            return ()
        exempt = self._optional | dict(problems).keys()
        return tuple(
            Finding(kind="all values missing", feature=bins.feature, fact=True, parts=AllMissing(rows=profile.rows))
            for bins, counts in zip(self._bins, profile.features, strict=True)
            if counts.present == 0 and bins.feature not in exempt
        )


def _absent_or_retyped(problems: tuple[tuple[str, str], ...]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            kind="column gone" if problem == "absent" else "type changed",
            feature=name,
            fact=True,
            parts=UnreadInput(problem="" if problem == "absent" else problem),
        )
        for name, problem in problems
    )


def optional_inputs(bins: Sequence[Bins], missing: Mapping[str, float]) -> frozenset[str]:
    """The inputs whose share of missing values in the baseline is above `MAX_MISSING_SHARE`."""
    return frozenset(b.feature for b in bins if missing.get(b.feature, 0.0) > MAX_MISSING_SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What a check of one window found.

    Attributes:
        statistics: The window's statistics, as text, for the drift comparators of the next window; empty where the
            schema has none.
    """

    findings: tuple[Finding, ...] = ()
    statistics: str = ""


#: `tensorflow_metadata.proto.v0.schema_pb2.INT`, which is not loaded for it.
_INT = 2

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
        self._whole: frozenset[str] = frozenset()

    def __call__(self, profile: Profile, absent: tuple[str, ...], previous: str) -> CheckResult:
        """Check one window. A window without rows has no findings, and leaves `previous` to the next."""
        if not profile.rows or self._is_off:
            return CheckResult(statistics=previous)
        if self._loaded is None:
            schema = self._load()
            if schema is None:
                self._is_off = True
                return CheckResult(statistics=previous)
            comparators = Comparators.of(schema, self._bins)
            self._whole = frozenset(each.name for each in schema.feature if each.type == _INT)
            baseline = self._statistics(self._baseline, (), comparators)
            self._loaded = (comparators, baseline)
        comparators, baseline = self._loaded
        window = self._statistics(profile, absent, comparators)
        return CheckResult(
            findings=(
                *validate(window, comparators.schema),
                *comparators.against_baseline(window, baseline),
                *comparators.against_previous(window, previous),
            ),
            statistics=comparators.compared_statistics(window),
        )

    def _statistics(self, profile: Profile, absent: tuple[str, ...], comparators: Comparators) -> Any:
        """Statistics as the schema types them: a profile's numbers are floats, and another type is found before."""
        return dataset_statistics(
            profile, self._bins, whole=self._whole, without=absent, histograms=comparators.with_histograms
        )
