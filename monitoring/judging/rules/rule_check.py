"""The rows of a window held against rules, batch by batch: how many break each, and the ids of some that do."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.baseline.profile import Bins
from monitoring.errors import BadInput
from monitoring.judging.rules.expression import Expression
from monitoring.judging.rules.rule_columns import USUAL_NAMES, RuleColumns
from monitoring.judging.rules.statistics import statistic_of
from monitoring.records import Finding, Level
from monitoring.records.rule_parts import (
    Breach,
    BrokenRows,
    BrokenRule,
    GroupGap,
    GroupRate,
    NotHeld,
    RowBounds,
    StaleRows,
    Statistic,
    StatisticBounds,
)
from monitoring.traffic.windows import Window

#: Kinds of findings: of rules whose breaking opens a page, and a notice.
RULE_BROKEN = "rule broken"
RULE_BROKEN_NOTICE = "rule broken, a notice"

#: Begins the subject of such a finding.
SUBJECT = "rule "

#: Ids of rows that break a rule, which are shown with the rows and in no message.
SHOWN = 5

#: Distinct values of a column that are remembered to find those that come twice.
MOST_VALUES = 5_000_000

#: Rows that a group needs for its rate to be compared, and how certain a gap has to be: 1 in 1,000, two-sided.
GROUP_ROWS = 30
_CERTAIN = 3.29


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What is known of one rule after some batches."""

    rule: Rule
    rows: int = 0
    broken: int = 0
    ids: list[str] = field(default_factory=list)
    problem: NotHeld | None = None
    newest: int | None = None
    seen: set[object] = field(default_factory=set)
    parts: list[pa.ChunkedArray] = field(default_factory=list)
    groups: dict[str, tuple[int, int]] = field(default_factory=dict)


class RuleCheck:
    """Holds windows against rules.

    Cost: one pass over the columns that rules read; of a rule about a statistic, the memory of its column.
    """

    def __init__(self, rules: Sequence[Rule], columns: RuleColumns = USUAL_NAMES) -> None:
        """Rules that were checked for their form, and what the table calls its columns."""
        self._rules, self._columns = tuple(rules), columns

    def findings(self, batches: Iterable[Batch], window: Window, *, judged_rows: int) -> tuple[Finding, ...]:
        """What the rows of a window break."""
        if not self._rules:
            return ()
        tallies = [_Tally(rule=rule) for rule in self._rules]
        for batch in batches if judged_rows else ():
            for tally in tallies:
                _count(tally, batch, self._columns)
        return tuple(
            Finding(
                kind=RULE_BROKEN if tally.rule.level == "page" else RULE_BROKEN_NOTICE,
                feature=f"{SUBJECT}{tally.rule.name}",
                fact=True,
                parts=BrokenRule(rule=tally.rule.name, breach=breach),
            )
            for tally in tallies
            if (breach := _breach(tally, window)) is not None
        )

    def broken_ids(self, batches: Iterable[Batch], subjects: Collection[str]) -> tuple[tuple[str, str], ...]:
        """Ids of rows that break some rules, at most `SHOWN` of each rule.

        Returns:
            The name of the rule and the id, rule by rule; none of rules that are not about each row.
        """
        tallies = [_Tally(rule=rule) for rule in self._rules if f"{SUBJECT}{rule.name}" in subjects]
        for batch in batches if tallies else ():
            for tally in tallies:
                _count(tally, batch, self._columns)
        return tuple((tally.rule.name, prediction_id) for tally in tallies for prediction_id in tally.ids)


#: No rules at all.
NO_RULES = RuleCheck(())


def check_rules(
    rules: Sequence[Rule], bins: Sequence[Bins], codes: Collection[str] = (), columns: RuleColumns = USUAL_NAMES
) -> None:
    """Refuse rules about columns that there are not, and those that can be held against no value of their columns.

    Cost: each rule is held against the baseline's categories of its columns.

    Args:
        rules: the rules.
        bins: how the inputs that are watched are counted: numbers, or categories with the commonest of them.
        codes: categories that live rows have as numbers.
        columns: what the table calls its other columns.
    """
    samples = columns.samples(bins)
    for rule in rules:
        for name in rule.columns:
            if name not in samples:
                raise columns.refusal(rule.name, name, samples)
        if rule.gap is None and not set(rule.columns) & set(codes):
            _check_fit(rule, samples)


def _check_fit(rule: Rule, samples: Mapping[str, pa.Array]) -> None:
    rows = min((len(samples[name]) for name in rule.columns), default=0)
    columns = {name: pa.chunked_array([samples[name][:rows]]) for name in rule.columns}
    try:
        if rule.statistic is None:
            _broken(_Tally(rule=rule), columns)
        else:
            statistic_of(rule.statistic, [columns[rule.column]])
    except (BadInput, pa.ArrowException) as error:
        values = "; ".join(f"{name} has {', '.join(map(repr, samples[name][:3].to_pylist()))}" for name in rule.columns)
        raise BadInput(
            f"The rule {rule.name!r} cannot be held against its column{'s' if len(rule.columns) > 1 else ''}.",
            got=f"{_what(rule)}: {str(error).splitlines()[0]}",
            expected=f"a condition that fits the values: {values}" if values else "a condition of each row",
            fix="Correct the [[rule]] section.",
        ) from error


def _count(tally: _Tally, batch: Batch, names: RuleColumns) -> None:
    rule = tally.rule
    tally.rows += len(batch)
    if rule.fresh is not None and len(batch):
        newest = int(batch.event_times.max())
        tally.newest = newest if tally.newest is None else max(tally.newest, newest)
    try:
        columns = {name: names.read(batch, name) for name in rule.columns}
        if rule.gap is not None:
            _count_groups(tally, columns[rule.group], batch)
            return
        if rule.statistic is not None:
            tally.parts.append(columns[rule.column])
            return
        broken = _broken(tally, columns)
    except KeyError as error:
        tally.problem = NotHeld(column=str(error.args[0]))
        return
    except (BadInput, pa.ArrowException) as error:
        tally.problem = NotHeld(error=str(error).splitlines()[0])
        return
    if broken is None:
        return
    places = np.flatnonzero(broken)
    tally.broken += int(places.size)
    if places.size and len(tally.ids) < SHOWN:
        tally.ids += batch.ids(places[: SHOWN - len(tally.ids)]).to_pylist()


def _broken(tally: _Tally, columns: Mapping[str, pa.ChunkedArray]) -> NDArray[np.bool_] | None:
    """Which rows break a rule about each row, bool [n]; None for a rule that is not about each row."""
    rule = tally.rule
    if rule.compiled is not None:
        return _mask(rule.compiled.broken(columns, unknown_breaks=rule.unknown_breaks))
    if rule.unique:
        return _repeated(tally, [columns[name] for name in rule.columns])
    return _mask(_wrong(rule, columns[rule.column])) if rule.column else None


def _wrong(rule: Rule, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which values are not right by themselves, bool [n]; null where that is not known."""
    if rule.missing is not None:
        return pc.is_null(column)
    if rule.values:
        allowed = pa.array([_as_word(value) if pa.types.is_string(column.type) else value for value in rule.values])
        return pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, value_set=allowed.cast(column.type))))
    if rule.pattern is not None:
        text = column if pa.types.is_string(column.type) else column.cast(pa.string())
        return pc.invert(pc.match_substring_regex(text, f"^(?:{rule.pattern})$"))
    number = column.cast(pa.float64())
    below = pc.less(number, -math.inf if rule.low is None else rule.low)
    return pc.or_kleene(below, pc.greater(number, math.inf if rule.high is None else rule.high))


def _as_word(value: str | float) -> str:
    """A value as a category has it: a whole number without decimals."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def _repeated(tally: _Tally, columns: Sequence[pa.ChunkedArray]) -> NDArray[np.bool_]:
    """In which rows values have come together before, in this batch or an earlier one; not where one is missing."""
    seen, repeated = tally.seen, np.zeros(len(columns[0]), dtype=np.bool_)
    for place, values in enumerate(zip(*(column.to_pylist() for column in columns), strict=True)):
        if None in values:
            continue
        if values in seen:
            repeated[place] = True
        elif len(seen) < MOST_VALUES:
            seen.add(values)
    return repeated


def _count_groups(tally: _Tally, groups: pa.ChunkedArray, batch: Batch) -> None:
    """Count the rows of each group, and those whose answer is the last class, or above 0.5 of two."""
    chosen = batch.probabilities.argmax(axis=1) == batch.probabilities.shape[1] - 1
    for name in pc.unique(groups.drop_null()).to_pylist():
        mask = _mask(pc.equal(groups, name))
        rows, selected = tally.groups.get(str(name), (0, 0))
        tally.groups[str(name)] = (rows + int(mask.sum()), selected + int((mask & chosen).sum()))


def _mask(column: pa.ChunkedArray | pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(column, fill_value=False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def _breach(tally: _Tally, window: Window) -> Breach | None:
    """How a rule is broken; None where it is not."""
    rule, rows = tally.rule, tally.rows
    low, high = rule.rows
    if low is not None or high is not None:
        wrong = (low is not None and rows < low) or (high is not None and rows > high)
        return RowBounds(rows=rows, least=low, most=high) if wrong else None
    if rule.fresh is not None:
        return _stale(tally, window, rule.fresh)
    if tally.problem is not None:
        return tally.problem
    if rule.gap is not None or rule.statistic is not None:
        return _beyond(tally, rule.statistic) if rule.statistic is not None else _gap(tally, rule.gap or 0.0)
    allowed = rule.missing if rule.missing is not None else rule.share
    if not rows or tally.broken <= allowed * rows:
        return None
    return BrokenRows(condition=_what(rule), broken=tally.broken, rows=rows, allowed=allowed)


def _beyond(tally: _Tally, statistic: Statistic) -> Breach | None:
    """A statistic of the window's values that is beyond its bounds, or that they do not have."""
    rule = tally.rule
    try:
        value = statistic_of(statistic, tally.parts)
    except pa.ArrowException as error:
        return NotHeld(error=str(error).splitlines()[0])
    below, above = rule.low is not None and value < rule.low, rule.high is not None and value > rule.high
    if not (below or above):
        return None
    return StatisticBounds(
        statistic=statistic, column=rule.column, value=value, rows=tally.rows, least=rule.low, most=rule.high
    )


def _stale(tally: _Tally, window: Window, patience: timedelta) -> StaleRows | None:
    newest = None if tally.newest is None else datetime.fromtimestamp(tally.newest / 1e6, UTC)
    if newest is not None and window.end - newest <= patience:
        return None
    return StaleRows(newest_us=tally.newest, patience_us=patience // timedelta(microseconds=1))


def _what(rule: Rule) -> str:
    if rule.expression is not None:
        return f"{rule.expression} does not hold"
    if rule.missing is not None:
        return f"{rule.column} is missing"
    if rule.unique:
        return f"{' and '.join(rule.columns)} {'repeats a value' if rule.column else 'repeat values together'}"
    if rule.values:
        return f"{rule.column} is none of {', '.join(map(str, rule.values[:5]))}" + (
            ", …" if len(rule.values) > 5 else ""
        )
    if rule.pattern is not None:
        return f"{rule.column} does not match {rule.pattern}"
    bounds = " or ".join(f"{word} {n:g}" for word, n in (("below", rule.low), ("above", rule.high)) if n is not None)
    of = "" if rule.statistic is None else f"the {rule.statistic} of "
    return f"{of}{rule.column} is {bounds}"


def _gap(tally: _Tally, most: float) -> GroupGap | None:
    """Between which groups the rates of the last class differ by more than may be chance beyond the bound."""
    rates = {name: (rows, chosen / rows) for name, (rows, chosen) in tally.groups.items() if rows >= GROUP_ROWS}
    if len(rates) < 2:
        return None
    lowest, highest = min(rates, key=lambda group: rates[group][1]), max(rates, key=lambda group: rates[group][1])
    (low_rows, low), (high_rows, high) = rates[lowest], rates[highest]
    error = math.sqrt(low * (1 - low) / low_rows + high * (1 - high) / high_rows)
    if high - low - _CERTAIN * error <= most:
        return None
    return GroupGap(
        column=tally.rule.group,
        high=GroupRate(group=highest, rate=high, rows=high_rows),
        low=GroupRate(group=lowest, rate=low, rows=low_rows),
        most=most,
    )


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What rows are to be like; of the kinds of conditions it has one.

    Attributes:
        column: The column that it is about; empty where it is about several, or about all rows.
        together: Columns whose values are unique together.
        statistic: What of the column's values `low` and `high` bound; None: each of them.
        rows: The smallest and the largest number of rows of a window; None where there is no bound.
    """

    name: str
    level: Level = "page"
    column: str = ""
    together: tuple[str, ...] = ()
    statistic: Statistic | None = None
    low: float | None = None
    high: float | None = None
    missing: float | None = None
    unique: bool = False
    values: tuple[str | float, ...] = ()
    pattern: str | None = None
    expression: str | None = None
    fresh: timedelta | None = None
    rows: tuple[int | None, int | None] = (None, None)
    unknown_breaks: bool = False
    group: str = ""
    gap: float | None = None
    share: float = 0.0

    @cached_property
    def compiled(self) -> Expression | None:
        """The expression, compiled; None where there is none. Raises BadInput for one that cannot be used."""
        return None if self.expression is None else Expression(self.expression)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        compiled = self.compiled
        if compiled is not None:
            return compiled.columns
        return tuple(name for name in (self.column, *self.together, self.group) if name)
