"""Figure 1, continued (section 3): raw inputs, standardised inputs, and tuned hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import spread
from pitfalls_tf.experiments.cells.training_cell import TrainingCell
from pitfalls_tf.experiments.claim import Claim, ClaimFinding, find_claim
from pitfalls_tf.experiments.experiment import Experiment, FreshRuns
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.scores_table import (
    deciding_rows,
    distinct_values,
    score_matrix,
    select_rows,
    with_common_seeds,
)
from pitfalls_tf.experiments.tasks import source_tasks
from pitfalls_tf.experiments.tasks.letter_tasks import FRESH as FRESH_FAMILIES
from pitfalls_tf.training.setup import NETWORKS, recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure

    from pitfalls_tf.experiments.run_store import RunStore
    from pitfalls_tf.experiments.scores_table import ScoreMatrix
    from pitfalls_tf.fitting.recipe import Recipe

RAW: Final = "raw"
STANDARDISED: Final = "conventional"  # the same runs as figure 1's
TUNED: Final = "tuned"
TRIAL: Final = "trial"
SEARCH_SEED: Final = 3
TRIAL_SEED: Final = 1_000  # of the trials; no run has it
TRIALS: Final = 30
QUICK_TRIALS: Final = 4
SEARCH: Final = (
    f"Tuned is the best trial of a random search by log-loss on the random hold-out, one fit per trial: {TRIALS}"
    f" trials, {QUICK_TRIALS} in a quick run. Ranges: rate 1e-4 to 1e-2 and decay 1e-6 to 1e-2 (log-uniform), dropout"
    " 0 to .5, width x.5 to x4, batch x.5 to x2."
)
BATCHES: Final = (0.5, 1, 2)

SEEDS_LEFT: Final = find_claim("between seeds, only partly")
DOMAINS_LEFT: Final = find_claim("between domains, only partly")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """One trial of the random search."""

    learning_rate: float
    weight_decay: float
    dropout: float
    width: float
    batch: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> _Trial:
        """Draw a trial, rates and decays log-uniformly (Bergstra and Bengio, JMLR 2012)."""
        return cls(
            learning_rate=float(10 ** rng.uniform(-4, -2)),
            weight_decay=float(10 ** rng.uniform(-6, -2)),
            dropout=float(rng.choice([0.0, 0.1, 0.3, 0.5])),
            width=float(rng.choice([0.5, 1, 2, 4])),
            batch=float(rng.choice(BATCHES)),
        )

    def applied(self, source: str, *, quick: bool) -> Recipe:
        network = replace(NETWORKS[source].scaled(width=self.width), dropout=self.dropout)
        plain = recipe(source, quick=quick, network=network)
        optimiser = replace(
            plain.optimiser, kind="adamw", learning_rate=self.learning_rate, weight_decay=self.weight_decay
        )
        return replace(plain, optimiser=optimiser, batch=max(1, int(plain.batch * self.batch)))

    def name(self, number: int) -> str:
        """Its number and settings."""
        return (
            f"{TRIAL} {number}: rate {self.learning_rate:.2g}, decay {self.weight_decay:.2g},"
            f" dropout {self.dropout:g}, width x{self.width:g}, batch x{self.batch:g}"
        )


def _trials(store: RunStore, source: str) -> dict[str, TrainingCell]:
    """The trials of the random search by name."""
    quick = store.size.quick
    rng = np.random.default_rng([SEARCH_SEED, source_tasks.SOURCES.index(source)])
    count = store.size.choose(full=TRIALS, quick=QUICK_TRIALS)
    trials = {(trial := _Trial.draw(rng)).name(place): trial for place in range(count)}
    task = source_tasks.load(source, quick=quick)
    return {
        name: TrainingCell(setup=name, task=task, recipe=trial.applied(source, quick=quick))
        for name, trial in trials.items()
    }


def _compared(store: RunStore, source: str, tuned: Recipe) -> tuple[TrainingCell, ...]:
    """Raw, standardised and tuned training."""
    quick, fresh = store.size.quick, store.size.fresh_domains
    task = source_tasks.load(source, quick=quick, fresh=fresh)
    raw = source_tasks.load(source, quick=quick, preprocessing="raw", fresh=fresh)
    plain = recipe(source, quick=quick)
    return (
        TrainingCell(setup=RAW, task=raw, recipe=plain),
        TrainingCell(setup=STANDARDISED, task=task, recipe=plain),
        TrainingCell(setup=TUNED, task=task, recipe=tuned),
    )


def _measure(store: RunStore, source: str) -> pa.Table:
    trials = _trials(store, source)
    searched = store.run(list(trials.values()), [TRIAL_SEED])
    tuned = trials[_best(searched, source)].recipe
    seeds = store.size.seed_numbers(full=20, quick=10)
    return pa.concat_tables([searched, store.run(_compared(store, source, tuned), seeds)])


def _measure_fresh(store: RunStore, source: str, first: pa.Table) -> pa.Table:
    """The tuned setup is the one that the first runs' search selected."""
    tuned = _trials(store, source)[_best(first, source)].recipe
    return store.run(_compared(store, source, tuned), store.size.fresh_seeds)


def _best(searched: pa.Table, source: str) -> str:
    """The trial with the smallest log-loss on the random hold-out, without deployment data."""
    scores = {}
    searched = select_rows(searched, source=source)
    for setup in distinct_values(searched, "setup"):
        if not setup.startswith(TRIAL):
            continue
        scores_of_setup = score_matrix(searched, source=source, setup=setup, split="random", metric="log_loss")
        scores[setup] = float(scores_of_setup.values.mean()) if scores_of_setup.seeds else float("inf")
    return min(scores, key=lambda setup: scores[setup])


def _deployed(table: pa.Table, source: str, setup: str) -> ScoreMatrix:
    return score_matrix(table, source=source, setup=setup, split="deployed", metric="brier")


def _findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    findings: list[ClaimFinding] = []
    table = deciding_rows(table)
    sides: tuple[tuple[Claim, Callable[[ScoreMatrix], np.ndarray]], ...] = (
        (SEEDS_LEFT, lambda matrix: matrix.by_seed),
        (DOMAINS_LEFT, lambda matrix: matrix.by_domain),
    )
    for claim, values_of in sides:
        for source in distinct_values(table, "source"):
            for setup in (STANDARDISED, TUNED):
                plain, changed = with_common_seeds(_deployed(table, source, RAW), _deployed(table, source, setup))
                left, interval = spread.jackknife(spread.variance_ratio, values_of(changed), values_of(plain))
                is_of_domains = claim is DOMAINS_LEFT
                note = "too few domains" if claim is DOMAINS_LEFT and len(plain.domains) < 3 else ""
                where = f"{source}, {_label(setup)}"
                findings.append(
                    ClaimFinding(
                        claim=claim,
                        where=where,
                        estimate=left,
                        interval=interval,
                        note=note,
                        rule="both" if setup == TUNED else "first",
                        seeds=len(plain.seeds),
                        domains=len(plain.domains) if is_of_domains else 0,
                        by_seeds=0.0 if is_of_domains else 1.0,
                    )
                )
    return tuple(findings)


def _label(setup: str) -> str:
    return "standardised" if setup == STANDARDISED else setup


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    first, table = table, deciding_rows(table)
    for source in distinct_values(table, "source"):
        raw = _deployed(table, source, RAW)
        for setup in (RAW, STANDARDISED, TUNED):
            scores = _deployed(table, source, setup)
            rows.append(
                {
                    "source": source,
                    "setup": _label(setup),
                    "runs": len(scores.seeds),
                    "mean deployed Brier": float(scores.values.mean()),
                    "sd between seeds": spread.standard_deviation(scores.by_seed),
                    "sd between domains": spread.standard_deviation(scores.by_domain),
                    "variance removed, seeds": 1 - spread.variance_ratio(scores.by_seed, raw.by_seed),
                    "variance removed, domains": 1 - spread.variance_ratio(scores.by_domain, raw.by_domain),
                    "settings": _best(first, source) if setup == TUNED else "",
                }
            )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[ClaimFinding]) -> Figure:
    table = deciding_rows(table)
    sources = distinct_values(table, "source")
    figure, axes = drawing.subplots(len(sources), 2, height=0.5 + 1.7 * len(sources), width_ratios=[1, 1.2])
    for row, source in zip(axes, sources, strict=True):
        for place, setup in enumerate((RAW, STANDARDISED, TUNED)):
            values = np.sort(_deployed(table, source, setup).by_seed)
            spots = place + np.linspace(-0.2, 0.2, len(values))
            row[0].plot(
                spots, values, linestyle="", marker=drawing.MARKERS[place], color=drawing.COLOURS[place], markersize=2.5
            )
        row[0].set_xticks(range(3), [RAW, "standardised", TUNED])
        row[0].set(ylabel="deployed Brier score", title=f"{source}: each run", xlim=(-0.5, 2.5))
        of_source = [finding for finding in findings if finding.where.startswith(f"{source}, ")]
        names = {SEEDS_LEFT: "seeds", DOMAINS_LEFT: "domains"}
        rows = [
            (f"{finding.where.split(', ')[1]}, {names[finding.claim]}", finding.estimate, finding.interval)
            for finding in of_source
        ]
        drawing.forest_plot(row[1], rows, zero=1.0)
        row[1].axvspan(SEEDS_LEFT.above, SEEDS_LEFT.below, color="#e3e6e8", linewidth=0)
        row[1].set_xscale("log")
        row[1].set(xlabel="variance left, relative to raw inputs", title="95 % intervals; grey: partly mitigated")
    return figure


EXPERIMENT: Final = Experiment(
    name="figure1_tuning",
    title="Standardised preprocessing and tuned hyperparameters",
    caption=(
        "Left: deployed Brier score (mean of domains; smaller is better) of every run. Right: variance between seeds"
        " and variance between deployed domains of standardised and tuned training, relative to raw inputs. A marker"
        " without a line has no interval."
    ),
    claims=(SEEDS_LEFT, DOMAINS_LEFT),
    sources=source_tasks.SOURCES,
    quick_sources=source_tasks.SOURCES,
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    fresh=FreshRuns(
        measure=_measure_fresh,
        most={"flights": 100, "rodents": 300, "letters": 300},
        domains={"letters": FRESH_FAMILIES},
    ),
    remarks=(
        SEARCH,
        (
            "Tuned training has standardised inputs too, so it has both of what the claim names, and decides it. The"
            " first rule counted standardised training as well."
        ),
        "Raw inputs keep their units, a missing number is 0 and pixels are 0 to 255; categories are always one-hot.",
        "A smaller variance is no merit where every run is equally bad, so the table has the mean too.",
    ),
)
