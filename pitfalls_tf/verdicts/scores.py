"""Scores of setups: rows of setup, domain, seed, metric and value from a runs folder or a file, and pairs of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.errors import BadInput
from pitfalls_tf.training.domain_metrics import scores_of_runs
from pitfalls_tf.training.run_folder import ENSEMBLE, MANIFEST, read_ensemble, read_run_manifest

Floats = NDArray[np.float64]

SCHEMA: Final = pa.schema(
    {"setup": pa.string(), "domain": pa.string(), "seed": pa.int64(), "metric": pa.string(), "value": pa.float64()}
)
LARGER_IS_BETTER: Final = frozenset({"auc", "accuracy", "balanced_accuracy", "f1", "precision", "recall", "gain"})
SMALLER_IS_BETTER: Final = frozenset({"brier", "log_loss", "error", "calibration_error", "loss", "mae", "mse", "rmse"})
DEFAULT_METRIC: Final = "brier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of one setup. `rows`: columns of `SCHEMA`, at most one value per domain, seed and metric."""

    setup: str
    origin: str
    rows: pa.Table

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics, sorted."""
        return tuple(sorted(self.rows["metric"].unique().to_pylist()))

    def of(self, metric: str) -> dict[tuple[str, int], float]:
        """The finite values of a metric by domain and seed."""
        rows = self.rows.filter(pc.equal(self.rows["metric"], metric))
        keys = zip(rows["domain"].to_pylist(), rows["seed"].to_pylist(), strict=True)
        return {
            key: value
            for key, value in zip(keys, rows["value"].to_pylist(), strict=True)
            if value is not None and np.isfinite(value)
        }

    def fingerprint(self, metric: str) -> str:
        """sha256 of the setup's values of a metric, which identifies a training."""
        lines = (f"{domain}\x00{seed}\x00{value!r}\n" for (domain, seed), value in sorted(self.of(metric).items()))
        return hashlib.sha256(f"{self.setup}\n{metric}\n{''.join(lines)}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedSetup:
    """One of two paired setups.

    Attributes:
        setup: Its name; where both have one name, with the settings or the place in which they differ.
        values: Scores of the paired domains and seeds, shape [domains, seeds].
    """

    setup: str
    origin: str
    values: Floats
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedScores:
    """Scores of two setups by one metric, in the same domains with the same seeds."""

    metric: str
    larger_is_better: bool
    domains: tuple[str, ...]
    seeds: tuple[int, ...]
    a: PairedSetup
    b: PairedSetup
    left_out: tuple[str, ...]

    @property
    def gains(self) -> Floats:
        """A's gain over B, shape [domains, seeds]; positive where A is better."""
        difference = self.a.values - self.b.values
        return difference if self.larger_is_better else -difference


def read_scores(text: str) -> Scores:
    """Read scores."""
    path, setup = Path(text), None
    if not path.exists() and ":" in text:
        before, setup = text.rsplit(":", 1)
        path = Path(before)
    if path.is_dir():
        name, rows = scores_of_runs(path)
        return Scores(setup=name, origin=str(path), rows=pa.Table.from_pylist(rows, schema=SCHEMA))
    if not path.is_file():
        raise BadInput(
            "No scores found.",
            got=text,
            expected=f"a folder with {ENSEMBLE}, or a Parquet or CSV table with columns {', '.join(SCHEMA.names)}",
            fix="Train first: pitfalls train SETUP --out RUNS.",
        )
    return _select_setup(_read_table(path), setup, path)


def pair_scores(
    a: Scores, b: Scores, *, metric: str | None = None, larger_is_better: bool | None = None
) -> PairedScores:
    """Pair the scores of two setups.

    Domains need values for at least half of the seeds, and seeds need values in all of these domains.

    Args:
        metric: which metric; None for `brier`, or the only common one.
        larger_is_better: direction of a metric that is not known here; None for a known one.
    """
    for scores in (a, b):
        _check_finite(scores)
    chosen = _metric(a, b, metric)
    larger = _direction(chosen, larger_is_better)
    left, right = a.of(chosen), b.of(chosen)
    both = left.keys() & right.keys()
    every = {seed for _, seed in both}
    counts = Counter(domain for domain, _ in both)
    domains = tuple(sorted(domain for domain, count in counts.items() if 2 * count >= len(every)))
    seeds = tuple(sorted(seed for seed in every if all((domain, seed) in both for domain in domains)))
    if not seeds:
        raise BadInput(
            "The two setups have no seed and domain in common.",
            got=f"{_extent(left)} of {a.setup}, {_extent(right)} of {b.setup}",
            expected=f"{chosen} with the same seeds in the same domains",
            fix="Train both on the same domains with the same --seeds.",
        )

    names = _told_apart(a, b)

    def paired(name: str, scores: Scores, values: dict[tuple[str, int], float]) -> PairedSetup:
        matrix = np.array([[values[domain, seed] for seed in seeds] for domain in domains])
        return PairedSetup(setup=name, origin=scores.origin, values=matrix, fingerprint=scores.fingerprint(chosen))

    return PairedScores(
        metric=chosen,
        larger_is_better=larger,
        domains=domains,
        seeds=seeds,
        a=paired(names[0], a, left),
        b=paired(names[1], b, right),
        left_out=(*_left_out(a, left, domains, seeds), *_left_out(b, right, domains, seeds)),
    )


def _told_apart(a: Scores, b: Scores) -> tuple[str, str]:
    """The names of two setups; where they have one name, with the settings in which they differ, or with the place."""
    if a.setup != b.setup:
        return a.setup, b.setup
    left, right = _settings(a), _settings(b)
    different = [key for key in dict.fromkeys((*left, *right)) if left.get(key) != right.get(key)]

    def named(scores: Scores, settings: dict[str, Any]) -> str:
        words = [f"{key.replace('_', ' ')} {settings.get(key) or 'not chosen'}" for key in different]
        return f"{scores.setup} ({', '.join(words) or scores.origin})"

    return named(a, left), named(b, right)


def _settings(scores: Scores) -> dict[str, Any]:
    """The settings of a runs folder's setup, those of its parts beside the others; none of a table."""
    place = Path(scores.origin)
    setup = read_run_manifest(read_ensemble(place).runs[0].folder / MANIFEST)["setup"] if place.is_dir() else {}
    parts = [value if isinstance(value, dict) else {key: value} for key, value in setup.items()]
    return {key: value for part in parts for key, value in part.items()}


def _check_finite(scores: Scores) -> None:
    """Raise BadInput for a setup without a single finite score."""
    if not any(scores.of(metric) for metric in scores.metrics):
        seeds = sorted(set(scores.rows["seed"].to_pylist()))
        raise BadInput(
            f"Every seed of {scores.setup} diverged: it has no score to compare.",
            got=f"{scores.origin} with {len(seeds)} seeds ({', '.join(map(str, seeds[:10]))}), none with a value",
            expected="a finite value for at least one seed, better five",
            fix="Train it again with a smaller --learning-rate or another remedy, or leave it out of the comparison.",
        )


def _extent(values: dict[tuple[str, int], float]) -> str:
    domains, seeds = {domain for domain, _ in values}, {seed for _, seed in values}
    return f"{len(domains)} domains and {len(seeds)} seeds"


def _left_out(
    scores: Scores, values: dict[tuple[str, int], float], domains: tuple[str, ...], seeds: tuple[int, ...]
) -> list[str]:
    """Unpaired seeds and domains of a setup, in words; diverged seeds, which have no values, are included."""
    all_seeds = set(scores.rows["seed"].to_pylist())
    unpaired = {domain for domain, _ in values} - set(domains)
    return [
        *(f"{scores.setup}: seed {seed} has no partner or no value" for seed in sorted(all_seeds - set(seeds))),
        *(f"{scores.setup}: domain {domain} has too few paired seeds" for domain in sorted(unpaired)),
    ]


def _metric(a: Scores, b: Scores, wanted: str | None) -> str:
    common = sorted(set(a.metrics) & set(b.metrics))
    if wanted in common:
        return wanted
    if wanted is None and (DEFAULT_METRIC in common or len(common) == 1):
        return DEFAULT_METRIC if DEFAULT_METRIC in common else common[0]
    raise BadInput(
        "Several metrics: name one." if wanted is None and common else "The metric is not in both setups.",
        got=repr(wanted) if wanted else f"{len(common)} metrics in common",
        expected=f"one of: {', '.join(common)}" if common else "a metric that both setups have",
        fix="Name one with --metric." if common else "Score both by the same metric.",
    )


def _direction(metric: str, declared: bool | None) -> bool:  # noqa: FBT001 - as the caller has it
    usual = metric in LARGER_IS_BETTER if metric in LARGER_IS_BETTER | SMALLER_IS_BETTER else None
    if usual is not None and declared not in {None, usual}:
        way, other = ("larger", "smaller") if usual else ("smaller", "larger")
        raise BadInput(
            f"{metric} has the other direction.",
            got=f"--better {other} for {metric}",
            expected=f"{way}, or no --better",
            fix="Leave --better out, or rename the metric if it is a different one.",
        )
    if usual is not None:
        return usual
    if declared is not None:
        return declared
    raise BadInput(
        "The direction of this metric is unknown.",
        got=repr(metric),
        expected=f"a metric known here ({', '.join(sorted(LARGER_IS_BETTER | SMALLER_IS_BETTER))}), or --better",
        fix="Pass --better larger or --better smaller.",
    )


def _read_table(path: Path) -> pa.Table:
    try:
        table = pa_csv.read_csv(path) if path.suffix.lower() == ".csv" else pq.ParquetFile(path).read()
        missing = [name for name in SCHEMA.names if name not in table.column_names]
        if missing:
            raise BadInput(
                "The table of scores lacks columns.",
                got=f"{path} with {', '.join(table.column_names)}",
                expected=f"columns {', '.join(SCHEMA.names)}",
                fix=f"Add {', '.join(missing)}.",
            )
        return table.select(SCHEMA.names).cast(SCHEMA)
    except (pa.ArrowException, ValueError) as error:
        raise BadInput(
            "The table of scores cannot be read.",
            got=f"{path}: {error}",
            expected="Parquet, or CSV with a header; whole-number seeds and numeric values",
            fix="Write it again, for example with pyarrow.parquet.write_table.",
        ) from error


def _select_setup(table: pa.Table, setup: str | None, path: Path) -> Scores:
    setups: list[str] = sorted(name for name in table["setup"].unique().to_pylist() if name is not None)
    if setup is None and len(setups) == 1:
        setup = setups[0]
    if setup is None or setup not in setups:
        raise BadInput(
            "Name one of the setups in the table." if setup is None else "No such setup in the table.",
            got=f"{path}" if setup is None else repr(setup),
            expected=f"one of: {', '.join(setups)}",
            fix=f"Write {path}:{setups[0] if setups else 'SETUP'}.",
        )
    rows = table.filter(pc.equal(table["setup"], setup))
    keys = rows.select(["domain", "seed", "metric"])
    if keys.group_by(keys.column_names).aggregate([]).num_rows != keys.num_rows:
        raise BadInput(
            "Duplicate score.",
            got=f"{path}: more than one value of {setup} for the same domain, seed and metric",
            expected="one value each",
            fix="Remove the duplicates.",
        )
    return Scores(setup=setup, origin=str(path), rows=rows)
