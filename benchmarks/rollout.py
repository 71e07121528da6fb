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
from pathlib import Path

import numpy as np

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.rollouts.rivals import RIVALS, Decided, Halves
from benchmarks.rollouts.streams import HORIZON, START, TASKS, Pair, table_of
from monitoring.records import RolloutResult, RolloutVerdict
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evaluation import evaluate
from monitoring.rollout.evidence.planning import PairedStream, Promise, promise
from monitoring.rollout.evidence.verdict import MISSING, Rules
from monitoring.rollout.replay.paired_table import PairedTable
from monitoring.rollout.replay.table_replay import ReplayResult, replay_table
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import WindowPlan

SEED = 20_261_129
DAYS = 60

#: Rows a day where versions are equal, and where they differ.
ROWS, MORE_ROWS = 150, 500

#: The candidate's error rate less the champion's.
EFFECTS = (-0.05, -0.02, -0.01, 0.0, 0.01, 0.02, 0.05)

#: The share of disagreements whose label comes in time.
COVERAGE = 0.95

VERDICTS: tuple[RolloutVerdict, ...] = ("better", "worse", "no difference that matters")

#: Where the smallest difference that matters is 0, equal versions lie on the edge of *better* and of *worse*.
RULES = DecisionRules(min_effect=0.0, guards=(), horizon=HORIZON)


def measure(settings: Settings) -> Result:
    """Simulate rollouts. Cost: 10 minutes of one processor."""
    pairs = 8 if settings.quick else 400
    effects = 4 if settings.quick else 100
    with tempfile.TemporaryDirectory() as folder:
        equal = _equal_versions(pairs, Path(folder))
        days = _days(effects, Path(folder))
    return Result(tables=(equal, *days))


def _replayed(table: PairedTable, rules: DecisionRules) -> ReplayResult:
    now = START + timedelta(days=DAYS) + HORIZON
    return replay_table(table, rules, WindowPlan(every="1d"), now=now)


def _with_rules(replay: ReplayResult, rules: DecisionRules) -> RolloutResult:
    """The same evidence, decided by other rules."""
    return evaluate(replay.evidence, replay.measures, rules)


def _equal_versions(pairs: int, folder: Path) -> Table:
    rows: list[tuple[Cell, ...]] = []
    others = max(pairs // 4, 1)
    for name, task in TASKS.items():
        counts: Counter[tuple[str, str | None]] = Counter()
        for number in range(pairs):
            rng = np.random.default_rng((SEED, number))
            table = table_of(task, Pair(days=DAYS, rows=ROWS), rng, folder)
            replay = _replayed(table, RULES)
            counts[("bounded", replay.result.decided)] += 1
            if number < others:
                counts[("at random", _with_rules(replay, replace(RULES, missing_labels="at random")).decided)] += 1
                counts[("usual", _with_rules(replay, replace(RULES, min_effect=None)).decided)] += 1
        shares = [
            counts[(kind, word)] / of
            for kind, of in zip(MISSING, (pairs, others), strict=True)
            for word in VERDICTS[:2]
        ]
        usual = [counts[("usual", word)] / others for word in VERDICTS]
        rows.append((name, *shares, *usual))
        _progress(f"equal versions, {name}: {shares}")
    return Table(
        title=f"Equal versions, looked at daily for {DAYS} days: share of {pairs} pairs with a verdict",
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
            f".05, ± {(0.05 * 0.95 / pairs) ** 0.5:.3f} (standard error); the last five columns: the first {others} "
            "pairs. One label in ten of rows that the candidate "
            "gets wrong does not come within 7 days: 'at random' takes these rows to be like the others, which they "
            "are not."
        ),
    )


def _days(pairs: int, folder: Path) -> tuple[Table, Table]:
    rng = np.random.default_rng(SEED)
    stream = PairedStream(rows=MORE_ROWS, disagreement=0.08, coverage=COVERAGE)
    table_rows: list[tuple[Cell, ...]] = []
    rivals: list[tuple[Cell, ...]] = []
    for effect in EFFECTS:
        usual, edge = _promised(stream, effect, 0.005, rng), _promised(stream, effect, 0.0, rng)
        results: dict[str, list[Decided]] = {}
        right, edged = [], []
        for number in range(pairs):
            table = table_of(
                TASKS["classification"],
                Pair(days=DAYS, rows=MORE_ROWS, effect=effect),
                np.random.default_rng((SEED, number, round(1000 + 1000 * effect))),
                folder,
            )
            replay = _replayed(table, replace(RULES, min_effect=0.005))
            right.append(_decided(replay.result, usual.word))
            zero = _with_rules(replay, RULES)
            edged.append(_decided(zero, edge.word))
            results.setdefault("paired rows", []).append(_promoted(replay.result))
            results.setdefault("paired rows, min_effect 0", []).append(_promoted(zero))
            halves = Halves.of(table, replay.measures.loss, as_microseconds(START), DAYS)
            for name, rule in RIVALS.items():
                results.setdefault(name, []).append(rule(halves))
        table_rows.append(_verdict_row(effect, 0.005, usual, right))
        table_rows.append(_verdict_row(effect, 0.0, edge, edged))
        rivals += [(f"{effect * 100:+.0f}", name, *_summary(decided)) for name, decided in results.items()]
        _progress(f"effect {effect:+.2f}: {table_rows[-2]}")
    return _own_table(pairs, table_rows), _rival_table(pairs, rivals)


def _promised(stream: PairedStream, effect: float, min_effect: float, rng: np.random.Generator) -> Promise:
    return promise(stream, effect, Rules(margin=min_effect), rng, max_windows=DAYS)


def _decided(result: RolloutResult, word: str) -> tuple[bool, bool, int]:
    """Whether the verdict is the right one, whether there is any, and after how many days it came."""
    day = DAYS + 1 if result.decided_at is None else (result.decided_at - START).days
    return result.decided == word, result.decided is not None, day


def _promoted(result: RolloutResult) -> Decided:
    """A verdict as others decide: no difference that matters promotes nothing, and ends the rollout."""
    if result.decided is None or result.decided_at is None:
        return Decided(promotes=None, day=DAYS)
    return Decided(promotes=result.decided == "better", day=(result.decided_at - START).days)


def _verdict_row(
    effect: float, min_effect: float, promised: Promise, verdicts: Sequence[tuple[bool, bool, int]]
) -> tuple[Cell, ...]:
    days = np.array([day for _, _, day in verdicts])
    right = np.array([is_right for is_right, _, _ in verdicts])
    wrong = np.array([is_any and not is_right for is_right, is_any, _ in verdicts])
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


def _summary(decided: Sequence[Decided]) -> tuple[Cell, ...]:
    shares = [float(np.mean([decision.promotes is word for decision in decided])) for word in (True, False, None)]
    days = [decision.day for decision in decided if decision.promotes is not None]
    return (*shares, float(np.median(days)) if days else None)


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
