"""Inputs summed up where they are, in SQL: only answers, labels, slices and some sampled rows leave the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import pyarrow as pa

from monitoring.baseline.batch import final
from monitoring.baseline.predictions import Predictions, no_predictions
from monitoring.baseline.profile import FeatureCounts
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.engines.engine import Work
from monitoring.engines.partial import Partial
from monitoring.engines.recipe import Recipe
from monitoring.engines.relation import shared_rows
from monitoring.engines.sql_relation import SqlRelation
from monitoring.engines.sql_sums import Span, number_counts, row_counts, word_counts
from monitoring.engines.task import gathered
from monitoring.errors import CannotRun
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.cells import as_strings
from monitoring.traffic.tables.column_findings import column_findings
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.rows import event_times, read_input
from monitoring.traffic.tables.table import Table
from monitoring.traffic.windows import Window

#: Tasks whose windows are summed up at once.
TASKS = 32


class SqlEngine:
    """Sums inputs up in a database; rows of answers and labels are scored here. An `Engine`.

    Cost: over all windows of some tasks one scan for all numbers and one for the categories of each type; of each
    window one statement more, for the inputs of its sampled rows.
    """

    def __init__(self, relation: SqlRelation, narrow: frozenset[str], shared: Sequence[str]) -> None:
        """Reads nothing yet."""
        self._relation, self._narrow, self._shared = relation, narrow, shared

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """See `Engine`. Yields partials in the order of the tasks."""
        summed = _Summed(self._relation, recipe, self._narrow, self._shared)
        tasks = iter(work)
        while some := tuple(islice(tasks, TASKS)):
            yield from summed.partials(some)


class _Summed:
    """What one call gathers."""

    def __init__(self, relation: SqlRelation, recipe: Recipe, narrow: frozenset[str], shared: Sequence[str]) -> None:
        self.relation, self.recipe, self.shared = relation, recipe, shared
        inputs = recipe.columns.inputs
        narrow_inputs = {name: kind for name, kind in inputs.items() if name in narrow}
        bins = recipe.catalogue.bins
        self._done: set[int] = set()
        self._wide = tuple(feature_bins for feature_bins in bins if feature_bins.feature not in narrow_inputs)
        self._plan = replace(
            recipe,
            catalogue=replace(
                recipe.catalogue,
                bins=tuple(feature_bins for feature_bins in bins if feature_bins.feature in narrow_inputs),
            ),
            vocabularies={
                name: vocabulary for name, vocabulary in recipe.vocabularies.items() if name in narrow_inputs
            },
            spec=replace(
                recipe.spec,
                features=tuple(feature for feature in recipe.spec.features if feature.name in narrow_inputs),
            ),
            columns=recipe.columns.replaced(inputs=narrow_inputs),
        )

    def partials(self, work: Sequence[Work]) -> Iterator[Partial]:
        """The partials of some tasks, with the sums of all inputs."""
        windows = {as_microseconds(part.window.start): part.window for task in work for part in task.parts}
        spans = [(start, as_microseconds(window.end)) for start, window in windows.items() if start not in self._done]
        sums = self._sums(spans, work[0]) if spans else {}
        rows: dict[int, int] = {}
        for task in work:
            for partial in gathered(self._plan, task):
                first = partial.start not in self._done
                self._done.add(partial.start)
                rows[partial.start] = rows.get(partial.start, 0) + partial.read.rows
                yield self._whole(partial, sums[partial.start] if first else None)
        for start, _ in spans:
            counted = sums[start].rows
            if start in rows and rows[start] != counted:
                raise CannotRun(
                    "The rows have changed while they were read.",
                    got=f"{rows[start]:,} rows from {as_datetime(start):%Y-%m-%d %H:%M} on, then {counted:,}",
                    expected="the same rows in every statement of a run",
                    fix="Run again: nothing was judged of this window. Give late rows more time, `lateness`, or read a "
                    "snapshot of the table.",
                )

    def _sums(self, spans: Sequence[Span], task: Work) -> dict[int, _WindowSums]:
        """What is known of each window's wide inputs."""
        counts = row_counts(self.relation, spans, self.shared)
        features = self._counts(spans, counts)
        with shared_rows(self.relation, self.shared, self.recipe.columns, task.inside) as table:
            sums = {}
            for place, (start, end) in enumerate(spans):
                window_counts = {name: of_windows[place] for name, of_windows in features.items()}
                rows = counts[place]
                if table is not None:
                    others, more = self._of_shared(table, start, end)
                    window_counts = {name: window_counts[name] + others[name] for name in window_counts}
                    rows += more
                sums[start] = _WindowSums(rows=rows, features=window_counts)
        return sums

    def _counts(self, spans: Sequence[Span], rows: Sequence[int]) -> dict[str, list[FeatureCounts]]:
        """Each wide input's counts, window by window."""
        profiles = self.recipe.profiles
        without = tuple(bins for bins in self._wide if self._problem(bins.feature))
        nothing = ProfileBuilder(without, vocabularies=self.recipe.vocabularies).begin().profile().features
        found = {
            bins.feature: [replace(none, missing=count) for count in rows]
            for bins, none in zip(without, nothing, strict=True)
        }
        readable = [bins for bins in self._wide if bins.feature not in found]
        numbers = [bins for bins in readable if bins.edges is not None]
        words = [bins.feature for bins in readable if bins.edges is None]
        found |= number_counts(self.relation, numbers, spans, self.shared)
        found |= word_counts(self.relation, words, spans, self.shared, columns=self.recipe.columns, profiles=profiles)
        return found

    def _problem(self, name: str) -> str:
        """What is wrong with an input: that it is absent, or of another type; empty if nothing."""
        raw = RawRows.of(self.relation.schema.empty_table())
        number = self.recipe.columns.inputs[name] == "number"
        kind = self.recipe.columns.reference_types.get(name, "")
        return read_input(raw, raw.columns().get(name), number=number, reference_type=kind)[2]

    def _of_shared(self, table: Table, start: int, end: int) -> tuple[Mapping[str, FeatureCounts], int]:
        """Counts of the rows that share an id with another, of those that count; and how many they are."""
        counting = ProfileBuilder(self._wide, vocabularies=self.recipe.vocabularies).begin()
        rows = 0
        for part in table.window(Window(start=as_datetime(start), end=as_datetime(end))).parts():
            counting.add(part.batch.inputs, len(part.batch))
            rows += len(part.batch)
        profile = counting.profile()
        return {
            feature_bins.feature: counts for feature_bins, counts in zip(self._wide, profile.features, strict=True)
        }, rows

    def _whole(self, partial: Partial, sums: _WindowSums | None) -> Partial:
        """A partial of narrow rows with the sums of all inputs, which go with the first partial of a window."""
        answered, labelled = partial.sums.answered, partial.sums.labelled
        by_name = {b.feature: c for b, c in zip(self._plan.catalogue.bins, answered.counts.features, strict=True)}
        none = ProfileBuilder(self._wide, vocabularies=self.recipe.vocabularies).begin().profile().features
        by_name |= {feature_bins.feature: counts for feature_bins, counts in zip(self._wide, none, strict=True)}
        read = partial.read
        if sums is not None:
            by_name |= sums.features
        problems = {(name, problem): read.rows for name in by_name if (problem := self._problem(name))}
        raw = RawRows.of(self.relation.schema.empty_table())
        findings = column_findings(raw, self.recipe.columns)
        profile = replace(
            answered.counts,
            features=tuple(by_name[feature_bins.feature] for feature_bins in self.recipe.catalogue.bins),
        )
        samples = self._with_inputs(partial, [answered.sample, answered.usable, labelled.usable])
        return replace(
            partial,
            sums=replace(
                partial.sums,
                answered=replace(answered, counts=profile, sample=samples[0], usable=samples[1]),
                labelled=replace(labelled, usable=samples[2]),
            ),
            read=replace(
                read,
                problems={**read.problems, **problems},
                columns={(finding.kind, finding.feature): finding for finding in findings},
            ),
        )

    def _with_inputs(self, partial: Partial, samples: Sequence[Predictions]) -> list[Predictions]:
        """Sampled rows with all of their inputs, which are fetched by their ids."""
        ids = sorted({word for sample in samples for word in sample.ids.to_pylist()})
        if not ids:
            return [no_predictions(self.recipe.spec) for _ in samples]
        columns = self.recipe.columns
        wide = [feature_bins.feature for feature_bins in self._wide if not self._problem(feature_bins.feature)]
        names = [columns.event_time, columns.prediction_id, *wide]
        between = (partial.start, partial.end)
        schema = pa.schema([self.relation.schema.field(name) for name in names])
        rows = pa.Table.from_batches(self.relation.batches(names, between=between, ids=ids), schema)
        raw = RawRows.of(rows)
        keys = zip(
            as_strings(rows[columns.prediction_id].combine_chunks()).to_pylist(),
            event_times(raw, columns).us.tolist(),
            strict=True,
        )
        places = {key: place for place, key in enumerate(keys)}
        return [self._with_whole_inputs(sample, raw, places) for sample in samples]

    def _with_whole_inputs(
        self, sample: Predictions, raw: RawRows, places: Mapping[tuple[str, int], int]
    ) -> Predictions:
        if not len(sample):
            return no_predictions(self.recipe.spec)
        at = [places.get(key, -1) for key in zip(sample.ids.to_pylist(), sample.event_times.tolist(), strict=True)]
        if min(at) < 0:
            raise CannotRun(
                "The rows have changed while they were read.",
                got=f"{at.count(-1)} of {len(at)} sampled rows are there no more",
                expected="the same rows in every statement of a run",
                fix="Run again: nothing was judged of this window.",
            )
        chosen = RawRows.of(raw.table.take(pa.array(at)))
        cells = chosen.columns()
        features = {}
        for feature in self.recipe.spec.features:
            if feature.name in self._plan.columns.inputs:
                features[feature.name] = sample.features[feature.name]
                continue
            kind, number = self.recipe.columns.reference_types.get(feature.name, ""), feature.kind == "number"
            features[feature.name] = read_input(chosen, cells.get(feature.name), number=number, reference_type=kind)[0]
        return replace(sample, features=final(pa.table(features)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _WindowSums:
    """How many rows one window has, and the counts of its wide inputs."""

    rows: int
    features: Mapping[str, FeatureCounts]
