"""Rollouts of simulated versions: wrong promotions of equal ones, days until a verdict, and other rules beside it.

Each stream is written as a table and replayed by the functions of `pitfalls rollout replay --table`, looked at daily
for 60 days, with labels that come later where the candidate is wrong.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.rollouts import units
from benchmarks.rollouts.kept import Kept
from benchmarks.rollouts.rivals import RIVALS, Decided, Halves
from benchmarks.rollouts.streams import HORIZON, START, TASKS, Pair, table_of
from benchmarks.rollouts.units import Split, looked_at
from monitoring.records import RolloutResult, RolloutVerdict
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evaluation import evaluate
from monitoring.rollout.evidence.planning import PairedStream, Promise, promise
from monitoring.rollout.evidence.terms import Rules
from monitoring.rollout.pairs import CALIBRATION, LATENCY
from monitoring.rollout.replay.paired_table import PairedTable
from monitoring.rollout.replay.table_replay import ReplayResult, replay_table
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import CalendarPlan

SEED = 20_261_129
DAYS = 60

#: Rows a day where versions are equal, and where they differ.
ROWS, MORE_ROWS = 150, 500

#: The candidate's error rate less the champion's.
EFFECTS = (-0.05, -0.02, -0.01, 0.0, 0.01, 0.02, 0.05)

#: Pairs of equal versions that are decided by other rules too.
OTHERS = 25

#: The share of disagreements whose label comes in time.
COVERAGE = 0.95

VERDICTS: tuple[RolloutVerdict, ...] = ("better", "worse", "no difference that matters")

#: Where the smallest difference that matters is 0, equal versions lie on the edge of *better* and of *worse*.
RULES = DecisionRules(min_effect=0.0, guards=(), horizon=HORIZON)

#: The rules of this project that are compared with others': the usual smallest difference that matters, and 0.
PAIRED = ("paired rows", "paired rows, min_effect 0")

#: Splits, by what is worse about the candidate.
SPLITS = {
    "is equal": Split(),
    "is worse calibrated by .02": Split(gap=0.02),
    "has .01 more slow answers": Split(slow=0.01),
}


def measure(settings: Settings) -> Result:
    """Simulate rollouts, as many pairs as `--pairs` says. Each is stored in `--out`, so that a run resumes.

    Cost: a quarter of a second of a processor for each pair of equal versions and task; half an hour for 400.
    """
    pairs = 8 if settings.quick else settings.pairs
    others = max(pairs // 4, 1)
    kept = Kept(settings.out)
    with tempfile.TemporaryDirectory() as folder:
        equal = _equal_versions(pairs, min(pairs, OTHERS), kept, Path(folder))
        days = _days(others, kept, Path(folder))
    return Result(tables=(equal, _splits(others, kept), *days))


def _replayed(table: PairedTable, rules: DecisionRules) -> ReplayResult:
    now = START + timedelta(days=DAYS) + HORIZON
    return replay_table(table, rules, CalendarPlan(every="1d"), now=now)


def _with_rules(replay: ReplayResult, rules: DecisionRules) -> RolloutResult:
    """The same evidence, decided by other rules."""
    return evaluate(replay.evidence, replay.measures, rules)


def _equal_versions(pairs: int, others: int, kept: Kept, folder: Path) -> Table:
    def words(task: str, number: int) -> dict[str, str | None]:
        rng = np.random.default_rng((SEED, number, list(TASKS).index(task)))
        replay = _replayed(table_of(TASKS[task], Pair(days=DAYS, rows=ROWS), rng, folder), RULES)
        decided: dict[str, str | None] = {"bounded": replay.result.decided}
        if number < others:
            decided["at random"] = _with_rules(replay, replace(RULES, missing_labels="at random")).decided
            decided["usual"] = _with_rules(replay, replace(RULES, min_effect=None)).decided
        return decided

    counts: dict[str, Counter[tuple[str, str | None]]] = {task: Counter() for task in TASKS}
    for number in range(pairs):
        for task in TASKS:
            kind = "some" if number < others else "one"
            counts[task].update(kept.result(f"equal, {task}, {number}, {kind}", partial(words, task, number)).items())
        if number % 10 == 9:
            _progress(f"equal versions, {number + 1} of {pairs} pairs in each of {len(TASKS)} tasks")
    rows: list[tuple[Cell, ...]] = []
    for task, count in counts.items():
        wrong = [f"{count['bounded', word]} of {pairs}" for word in VERDICTS[:2]]
        at_random = [f"{count['at random', word]} of {others}" for word in VERDICTS[:2]]
        rows.append((task, *wrong, *at_random, *(f"{count['usual', word]} of {others}" for word in VERDICTS)))
    return Table(
        title=f"Equal versions, looked at daily for {DAYS} days: pairs with a verdict",
        columns=(
            "task",
            "min_effect 0: better",
            "worse",
            "labels at random: better",
            "worse",
            "usual min_effect: better",
            "worse",
            "no difference",
        ),
        rows=tuple(rows),
        note=(
            f"{ROWS} rows a day, a disagreement on .08 of them, wrong = 1 in 20: each share of better or worse may be "
            f".05, ± {(0.05 * 0.95 / pairs) ** 0.5:.3f} (standard error). One label in ten of rows that the candidate "
            "gets wrong does not come within 7 days: 'at random' takes these rows to be like the others, which they "
            "are not."
        ),
    )


def _splits(pairs: int, kept: Kept) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for place, (name, split) in enumerate(SPLITS.items()):
        words: Counter[str | None] = Counter()
        worse: Counter[str] = Counter()
        passed: Counter[str] = Counter()
        for number in range(pairs):
            rng = np.random.default_rng((SEED, number, 100 + place))
            word, of_worse, of_passed = kept.result(f"split, {name}, {number}", partial(looked_at, split, rng))
            words[word] += 1
            worse.update(of_worse)
            passed.update(of_passed)
        guards = [f"{count[guard]} of {pairs}" for guard in (CALIBRATION, LATENCY) for count in (worse, passed)]
        rows.append((name, *(f"{words[word]} of {pairs}" for word in VERDICTS[:2]), *guards))
        _progress(f"splits, {rows[-1]}")
    return Table(
        title=f"Splits of units with guards, looked at daily for {units.DAYS} days",
        columns=("the candidate", "better", "worse", "calibration: worse", "passes", "latency_p99: worse", "passes"),
        rows=tuple(rows),
        note=(
            f"{units.UNITS} units of each version a day, an error rate of {units.ERROR:g}, min_effect 0; one label in "
            "ten of errors does not come. The versions are equal but for the guard named, which is worse by just its "
            "limit: it may pass, at any look, in 1 of 20."
        ),
    )


def _days(pairs: int, kept: Kept, folder: Path) -> tuple[Table, Table]:
    rng = np.random.default_rng(SEED)
    stream = PairedStream(rows=MORE_ROWS, disagreement=0.08, coverage=COVERAGE)
    table_rows: list[tuple[Cell, ...]] = []
    rivals: list[tuple[Cell, ...]] = []

    def decisions(effect: float, number: int) -> dict[str, tuple[str | None, int]]:
        """The word and the day of each rule."""
        pair_rng = np.random.default_rng((SEED, number, round(1000 + 1000 * effect)))
        table = table_of(TASKS["classification"], Pair(days=DAYS, rows=MORE_ROWS, effect=effect), pair_rng, folder)
        replay = _replayed(table, replace(RULES, min_effect=0.005))
        halves = Halves.of(table, replay.measures.loss, as_microseconds(START), DAYS)
        return {
            PAIRED[0]: _decided(replay.result),
            PAIRED[1]: _decided(_with_rules(replay, RULES)),
            **{name: _word(rule(halves)) for name, rule in RIVALS.items()},
        }

    promises = {effect: [_promised(stream, effect, least, rng) for least in (0.005, 0.0)] for effect in EFFECTS}
    results: dict[float, list[dict[str, tuple[str | None, int]]]] = {effect: [] for effect in EFFECTS}
    for number in range(pairs):
        for effect in EFFECTS:
            make = partial(decisions, effect, number)
            results[effect].append(kept.result(f"effect {effect:g}, {number}", make))
        _progress(f"versions that differ, {number + 1} of {pairs} pairs for each of {len(EFFECTS)} effects")
    for effect, decided in results.items():
        for rule, least, promised in zip(PAIRED, (0.005, 0.0), promises[effect], strict=True):
            table_rows.append(_verdict_row(effect, least, promised, [pair[rule] for pair in decided]))
        rivals += [(f"{effect * 100:+.0f}", rule, *_summary([pair[rule] for pair in decided])) for rule in decided[0]]
    return _own_table(pairs, table_rows), _rival_table(pairs, rivals)


def _promised(stream: PairedStream, effect: float, min_effect: float, rng: np.random.Generator) -> Promise:
    return promise(stream, effect, Rules(margin=min_effect), rng, max_windows=DAYS)


def _decided(result: RolloutResult) -> tuple[str | None, int]:
    """The first verdict, and after how many days it came."""
    day = DAYS + 1 if result.decided_at is None else (result.decided_at - START).days
    return result.decided, day


def _word(decided: Decided) -> tuple[str | None, int]:
    """What another rule decides, as a verdict."""
    return {True: "better", False: "worse", None: None}[decided.promotes], decided.day


def _verdict_row(
    effect: float, min_effect: float, promised: Promise, verdicts: Sequence[tuple[str | None, int]]
) -> tuple[Cell, ...]:
    days = np.array([day for _, day in verdicts])
    right = np.array([word == promised.word for word, _ in verdicts])
    wrong = np.array([word is not None and word != promised.word for word, _ in verdicts])
    within = [None if end is None else float(((days <= end) & right).mean()) for end in promised.windows]
    half, nine = (int(np.quantile(days, share, method="inverted_cdf")) for share in (0.5, 0.9))
    return (
        f"{effect * 100:+.0f}",
        f"{min_effect * 100:g}",
        promised.word,
        float(right.mean()),
        float(wrong.mean()),
        *(None if day > DAYS else day for day in (half, nine)),
        *promised.windows,
        *within,
    )


def _summary(verdicts: Sequence[tuple[str | None, int]]) -> tuple[Cell, ...]:
    """A verdict as others decide: no difference that matters promotes nothing, and ends the rollout."""
    words = [word for word, _ in verdicts]
    promoted, undecided = words.count("better"), words.count(None)
    shares = (count / len(words) for count in (promoted, len(words) - promoted - undecided, undecided))
    days = [day for word, day in verdicts if word is not None]
    return *shares, float(np.median(days)) if days else None


def _own_table(pairs: int, rows: list[tuple[Cell, ...]]) -> Table:
    return Table(
        title=f"Classification, {MORE_ROWS} rows a day: verdicts and the plan's promise, {pairs} pairs for each line",
        columns=(
            "effect, points",
            "min_effect",
            "right verdict",
            "it came",
            "a wrong one",
            "days, half",
            "nine of ten",
            "promised, half",
            "nine of ten",
            "kept, half",
            "nine of ten",
        ),
        rows=tuple(rows),
        note=(
            f"The candidate's error rate less the champion's, which is .15; the versions disagree on .08. Days are the "
            f"windows' ends; each is known 7 days later, when labels are due. A dash: not within {DAYS} days. Kept: "
            f"the share of verdicts that were right and came by the promised day; ± {(0.09 / pairs) ** 0.5:.2f}."
        ),
    )


def _rival_table(pairs: int, rows: list[tuple[Cell, ...]]) -> Table:
    return Table(
        title=f"The same rows, decided by others: {pairs} pairs for each line",
        columns=("effect, points", "rule", "promoted", "refused", "undecided", "median day"),
        rows=tuple(rows),
        note=(
            "All but the paired rows give half of the rows to each version, and have every label. The paired rows' "
            "'no difference that matters' counts as refused. mSPRT: prior of 2 points, level .05 on each side. Argo: "
            "a day fails if the candidate's error rate is more than 1 point higher, and two failed days end it. "
            "Kayenta: hourly error rates, fails at a level of .02 after any day."
        ),
    )


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
