"""Figure 1, continued (section 3): raw inputs, standardised inputs, and tuned hyperparameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import spread
from pitfalls_tf.experiments.cells.training_cell import TrainingCell
from pitfalls_tf.experiments.experiment import Claim, ClaimFinding, Experiment
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.scores_table import distinct_values, score_matrix, with_common_seeds
from pitfalls_tf.experiments.tasks import source_tasks
from pitfalls_tf.training.conventional import NETWORKS, recipe

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
PARTLY: Final = {
    "above": 0.1,
    "below": 0.9,
    "because": "Less than a tenth left would be a solution, more than nine tenths no help; partial is in between.",
}

SEEDS_LEFT = Claim(
    name="between seeds, only partly",
    section="3",
    says="standardising preprocessing and hyperparameters only partially mitigated the inconsistency across runs",
    quantity="variance between seeds of the deployed Brier score, as a share of that with raw inputs",
    **PARTLY,  # type: ignore[arg-type]
)
DOMAINS_LEFT = Claim(
    name="between domains, only partly",
    section="3",
    says="standardising preprocessing and hyperparameters only partially mitigated the inconsistency across sources",
    quantity="variance between deployed domains of the Brier score, as a share of that with raw inputs",
    **PARTLY,  # type: ignore[arg-type]
)


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


def _measure(store: RunStore) -> pa.Table:
    quick = store.size.quick
    seeds = store.size.seed_numbers(full=20, quick=10)
    parts = []
    for number, source in enumerate(source_tasks.SOURCES):
        task = source_tasks.load(source, quick=quick)
        rng = np.random.default_rng([SEARCH_SEED, number])
        count = store.size.choose(full=TRIALS, quick=QUICK_TRIALS)
        trials = {(one := _Trial.draw(rng)).name(place): one for place in range(count)}
        cells = {
            name: TrainingCell(setup=name, task=task, recipe=one.applied(source, quick=quick))
            for name, one in trials.items()
        }
        searched = store.run(list(cells.values()), [TRIAL_SEED])
        best = _best(searched, source)
        final = (
            TrainingCell(
                setup=RAW,
                task=source_tasks.load(source, quick=quick, preprocessing="raw"),
                recipe=recipe(source, quick=quick),
            ),
            TrainingCell(setup=STANDARDISED, task=task, recipe=recipe(source, quick=quick)),
            replace(cells[best], setup=TUNED),
        )
        parts += [searched, store.run(final, seeds)]
    return pa.concat_tables(parts)


def _best(searched: pa.Table, source: str) -> str:
    """The trial with the smallest log-loss on the random hold-out, without deployment data."""
    scores = {}
    for setup in distinct_values(searched, "setup"):
        if not setup.startswith(TRIAL):
            continue
        scores_of_setup = score_matrix(searched, source=source, setup=setup, split="random", metric="log_loss")
        scores[setup] = float(scores_of_setup.values.mean()) if scores_of_setup.seeds else float("inf")
    return min(scores, key=lambda setup: scores[setup])


def _deployed(table: pa.Table, source: str, setup: str) -> ScoreMatrix:
    return score_matrix(table, source=source, setup=setup, split="deployed", metric="brier")


def _findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    found: list[ClaimFinding] = []
    sides: tuple[tuple[Claim, Callable[[ScoreMatrix], np.ndarray]], ...] = (
        (SEEDS_LEFT, lambda one: one.by_seed),
        (DOMAINS_LEFT, lambda one: one.by_domain),
    )
    for claim, values_of in sides:
        for source in distinct_values(table, "source"):
            for setup in (STANDARDISED, TUNED):
                plain, changed = with_common_seeds(_deployed(table, source, RAW), _deployed(table, source, setup))
                left, interval = spread.jackknife(spread.variance_ratio, values_of(changed), values_of(plain))
                note = "too few domains" if claim is DOMAINS_LEFT and len(plain.domains) < 3 else ""
                where = f"{source}, {_label(setup)}"
                found.append(ClaimFinding(claim=claim, where=where, estimate=left, interval=interval, note=note))
    return tuple(found)


def _label(setup: str) -> str:
    return "standardised" if setup == STANDARDISED else setup


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    for source in distinct_values(table, "source"):
        raw = _deployed(table, source, RAW)
        for setup in (RAW, STANDARDISED, TUNED):
            found = _deployed(table, source, setup)
            rows.append(
                {
                    "source": source,
                    "setup": _label(setup),
                    "runs": len(found.seeds),
                    "mean deployed Brier": float(found.values.mean()),
                    "sd between seeds": spread.standard_deviation(found.by_seed),
                    "sd between domains": spread.standard_deviation(found.by_domain),
                    "variance removed, seeds": 1 - spread.variance_ratio(found.by_seed, raw.by_seed),
                    "variance removed, domains": 1 - spread.variance_ratio(found.by_domain, raw.by_domain),
                    "settings": _best(table, source) if setup == TUNED else "",
                }
            )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[ClaimFinding]) -> Figure:
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
        of_source = [one for one in findings if one.where.startswith(f"{source}, ")]
        names = {SEEDS_LEFT: "seeds", DOMAINS_LEFT: "domains"}
        rows = [(f"{one.where.split(', ')[1]}, {names[one.claim]}", one.estimate, one.interval) for one in of_source]
        drawing.forest_plot(row[1], rows, zero=1.0)
        row[1].axvspan(PARTLY["above"], PARTLY["below"], color="#e3e6e8", linewidth=0)
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
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    remarks=(
        SEARCH,
        "Raw inputs keep their units, a missing number is 0 and pixels are 0 to 255; categories are always one-hot.",
        "A smaller variance is no merit where every run is equally bad, so the table has the mean too.",
    ),
)
