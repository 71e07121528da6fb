"""Scores of setups: (setup, domain, seed, metric, value) from a runs folder or a file, and pairs of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from monitoring.errors import BadInput
from pitfalls_tf.training.domain_metrics import scores_of_runs
from pitfalls_tf.training.runs import ENSEMBLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SCHEMA: Final = pa.schema(
    {"setup": pa.string(), "domain": pa.string(), "seed": pa.int64(), "metric": pa.string(), "value": pa.float64()}
)
LARGER: Final = frozenset({"auc", "accuracy", "balanced_accuracy", "f1", "precision", "recall", "gain"})
SMALLER: Final = frozenset({"brier", "log_loss", "error", "calibration_error", "loss", "mae", "mse", "rmse"})
PREFERRED: Final = "brier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of one setup; `rows` has the columns of `SCHEMA`, and at most one value per domain, seed and metric."""

    setup: str
    origin: str
    rows: pa.Table

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics there are."""
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
        """sha256 of the setup's values of a metric: another training has another fingerprint."""
        lines = (f"{domain}\x00{seed}\x00{value!r}\n" for (domain, seed), value in sorted(self.of(metric).items()))
        return hashlib.sha256(f"{self.setup}\n{metric}\n{''.join(lines)}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One setup's part of the pairs: values [domains, seeds], and the fingerprint of all it had."""

    setup: str
    origin: str
    values: Floats
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Two setups' values of a metric in the same domains with the same seeds; `left_out` says what had no partner."""

    metric: str
    larger_is_better: bool
    domains: tuple[str, ...]
    seeds: tuple[int, ...]
    a: Half
    b: Half
    left_out: tuple[str, ...]

    @property
    def gains(self) -> Floats:
        """Shape [domains, seeds]: positive where A is better."""
        difference = self.a.values - self.b.values
        return difference if self.larger_is_better else -difference


def read_scores(given: str) -> Scores:
    """Scores from a runs folder (RUNS/SETUP, or RUNS with one setup), a Parquet or CSV table, or TABLE:SETUP of it.

    Raises:
        BadInput: nothing there, or it is neither, or the table holds several setups and none was named.
    """
    path, setup = Path(given), None
    if not path.exists() and ":" in given:
        before, setup = given.rsplit(":", 1)
        path = Path(before)
    if path.is_dir():
        name, rows = scores_of_runs(path)
        return Scores(setup=name, origin=str(path), rows=pa.Table.from_pylist(rows, schema=SCHEMA))
    if not path.is_file():
        raise BadInput(
            "There are no scores here.",
            got=given,
            expected=f"a folder with {ENSEMBLE}, or a Parquet or CSV table with columns {', '.join(SCHEMA.names)}",
            fix="Train first: pitfalls train SETUP --out RUNS.",
        )
    return _chosen(_read_table(path), setup, path)


def pair(a: Scores, b: Scores, *, metric: str | None = None, larger_is_better: bool | None = None) -> Pairs:
    """What both setups have: domains with a value for half of the seeds or more, and the seeds whole in all of them.

    Raises:
        BadInput: no such metric, nobody knows which way it runs, or it is known otherwise; nothing in common, or every
            seed of one has diverged.
    """
    for scores in (a, b):
        _check_some(scores)
    chosen = _metric(a, b, metric)
    larger = _direction(chosen, larger_is_better)
    left, right = a.of(chosen), b.of(chosen)
    both = left.keys() & right.keys()
    every = {seed for _, seed in both}
    known = Counter(domain for domain, _ in both)
    domains = tuple(sorted(domain for domain, count in known.items() if 2 * count >= len(every)))
    seeds = tuple(sorted(seed for seed in every if all((one, seed) in both for one in domains)))
    if not seeds:
        raise BadInput(
            "The two setups have nothing in common to be compared by.",
            got=f"{_extent(left)} of {a.setup}, {_extent(right)} of {b.setup}",
            expected=f"{chosen} with the same seeds in the same domains",
            fix="Train both on the same domains with the same --seeds.",
        )

    def half(scores: Scores, values: dict[tuple[str, int], float]) -> Half:
        matrix = np.array([[values[domain, seed] for seed in seeds] for domain in domains])
        return Half(setup=scores.setup, origin=scores.origin, values=matrix, fingerprint=scores.fingerprint(chosen))

    return Pairs(
        metric=chosen,
        larger_is_better=larger,
        domains=domains,
        seeds=seeds,
        a=half(a, left),
        b=half(b, right),
        left_out=(*_left_out(a, left, domains, seeds), *_left_out(b, right, domains, seeds)),
    )


def _check_some(scores: Scores) -> None:
    """Raises BadInput for a setup without a single value that is a number."""
    if not any(scores.of(metric) for metric in scores.metrics):
        seeds = sorted(set(scores.rows["seed"].to_pylist()))
        raise BadInput(
            f"Every seed of {scores.setup} diverged: there is no score of it to compare.",
            got=f"{scores.origin} with {len(seeds)} seeds ({', '.join(map(str, seeds[:10]))}), none with a value",
            expected="a finite value of one seed at least, better five",
            fix="Train it again with a smaller --learning-rate or another remedy, or leave it out of the comparison.",
        )


def _extent(values: dict[tuple[str, int], float]) -> str:
    domains, seeds = {domain for domain, _ in values}, {seed for _, seed in values}
    return f"{len(domains)} domains and {len(seeds)} seeds"


def _left_out(
    scores: Scores, values: dict[tuple[str, int], float], domains: tuple[str, ...], seeds: tuple[int, ...]
) -> list[str]:
    """What of a setup is not in the pairs. Diverged seeds have no values; they are named all the same."""
    had = set(scores.rows["seed"].to_pylist())
    lonely = {domain for domain, _ in values} - set(domains)
    return [
        *(f"{scores.setup}: seed {seed} has no partner or no value" for seed in sorted(had - set(seeds))),
        *(f"{scores.setup}: domain {domain} has too few partners" for domain in sorted(lonely)),
    ]


def _metric(a: Scores, b: Scores, wanted: str | None) -> str:
    common = sorted(set(a.metrics) & set(b.metrics))
    if wanted in common:
        return wanted
    if wanted is None and (PREFERRED in common or len(common) == 1):
        return PREFERRED if PREFERRED in common else common[0]
    raise BadInput(
        "No metric was named, and there are several." if wanted is None and common else "No such metric in both.",
        got=repr(wanted) if wanted else f"{len(common)} metrics in common",
        expected=f"one of: {', '.join(common)}" if common else "a metric that both setups have",
        fix="Name one with --metric." if common else "Score both by the same metric.",
    )


def _direction(metric: str, said: bool | None) -> bool:  # noqa: FBT001 - what the caller was told, or nothing
    known = metric in LARGER if metric in LARGER | SMALLER else None
    if known is not None and said not in {None, known}:
        way, other = ("larger", "smaller") if known else ("smaller", "larger")
        raise BadInput(
            "This metric is known to run the other way.",
            got=f"--better {other} for {metric}",
            expected=f"{way}, or nothing said",
            fix="Leave --better away, or give the metric another name if it is another one.",
        )
    if known is not None:
        return known
    if said is not None:
        return said
    raise BadInput(
        "Is more of this metric better, or less?",
        got=repr(metric),
        expected=f"a metric known here ({', '.join(sorted(LARGER | SMALLER))}), or to be told",
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


def _chosen(table: pa.Table, setup: str | None, path: Path) -> Scores:
    there: list[str] = sorted(name for name in table["setup"].unique().to_pylist() if name is not None)
    if setup is None and len(there) == 1:
        setup = there[0]
    if setup is None or setup not in there:
        raise BadInput(
            "Which setup?" if setup is None else "No such setup in the table.",
            got=f"{path}" if setup is None else repr(setup),
            expected=f"one of: {', '.join(there)}",
            fix=f"Write {path}:{there[0] if there else 'SETUP'}.",
        )
    rows = table.filter(pc.equal(table["setup"], setup))
    keys = rows.select(["domain", "seed", "metric"])
    if keys.group_by(keys.column_names).aggregate([]).num_rows != keys.num_rows:
        raise BadInput(
            "A score is there twice.",
            got=f"{path}: more than one value of {setup} for the same domain, seed and metric",
            expected="one",
            fix="Leave one of them out.",
        )
    return Scores(setup=setup, origin=str(path), rows=rows)
