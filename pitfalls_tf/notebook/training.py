"""`pitfalls_tf.train` and `pitfalls_tf.compare`: seeds of a setup, and whether another setup is better."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pitfalls_tf.fitting.arithmetic import pin_arithmetic
from pitfalls_tf.rows.splits import SplitKind
from pitfalls_tf.training.chosen_setup import chosen_setup
from pitfalls_tf.training.progress import TrainingProgress
from pitfalls_tf.verdicts.verdict import SMALLEST_DIFFERENCE, Verdict, judge

if TYPE_CHECKING:
    from pitfalls_tf.training.train import TrainingResult

LOG = logging.getLogger(__name__)


def train(  # noqa: PLR0913 - a front door: an editor completes what it can see
    source: str,
    *,
    seeds: int = 5,
    out: str | Path = "runs",
    table: str | Path | None = None,
    label: str | None = None,
    time: str | None = None,
    domain: str | None = None,
    label_time: str | None = None,
    ignore: Sequence[str] = (),
    categories: Sequence[str] = (),
    timezone: str = "UTC",
    architecture: str | None = None,
    remedy: str | None = None,
    split: SplitKind | None = None,
    held_out: Sequence[str] = (),
    at: str | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    learning_rate: float | None = None,
    stopping: int | None = None,
    fresh: bool = False,
    tensorboard: str | Path | None = None,
    progress: Callable[[TrainingProgress], None] = lambda _: None,
) -> TrainingResult:
    """Train a setup once for each seed, score each run on held-out rows, and write the median seed's model.

    Finished runs in the folder are kept, so that a larger number of seeds continues a smaller one.

    Where TensorFlow has not been loaded yet, its arithmetic is pinned for this process, so that a network of tables
    gets the same weights on every x86-64 processor with AVX2, with at most 256 rows in a batch, units and encoded
    inputs. Otherwise a warning says that the weights follow this processor.

    >>> train("rodents", seeds=8, out="runs")  # doctest: +SKIP

    Args:
        source: "flights", "rodents", "digits", "letters", or "table" for a file of your own.
        seeds: The number of runs.
        out: The folder; runs go to OUT/SETUP.
        table: Of "table", the file, Parquet or CSV.
        label: The column of classes.
        time: The column of event times.
        domain: The column of the site, scanner or group.
        label_time: The column of the times at which labels became known.
        ignore: Columns that are no inputs.
        categories: Columns of whole numbers that are codes.
        timezone: The zone of the table's days.
        architecture: A network; None: the source's conventional one.
        remedy: A remedy, or several joined by "+".
        split: How rows are held out: "random", "blocked", "time", "domain" or "folds"; None: the source's own.
        held_out: Of a split by domain, the domains.
        at: Of a split by time, the first time held out, ISO 8601.
        epochs: Passes over the rows.
        batch: The size of a batch.
        learning_rate: The largest learning rate of the schedule.
        stopping: Epochs without improvement after which a seed stops.
        fresh: Whether every run is trained again.
        tensorboard: A folder for TensorBoard's logs.
        progress: Called after every epoch, from several threads, and after every run.

    Returns:
        The runs, with the one to deploy; `compare` and `export` take it.

    Raises:
        BadInput: A name, the rows or the split cannot be used, or the folder holds runs of another setup.
        CannotRun: The folder cannot be written, or every run diverged.

    Cost: TensorFlow's import; then by network and rows, for flights in five folds some 5 s of processor time a seed.
    """
    setup = chosen_setup(
        source,
        architecture=architecture,
        remedy=remedy,
        split=split,
        held_out=held_out,
        at=at,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        stopping=stopping,
        table=None if table is None else Path(table),
        label=label,
        time=time,
        domain=domain,
        label_time=label_time,
        ignore=ignore,
        categories=categories,
        timezone=timezone,
    )
    if setup.network.uses_xla and not pin_arithmetic():
        LOG.warning(
            "The weights follow this processor and its number of cores: TensorFlow was loaded before this training."
            " For the same weights on others, train before you import it, or use `pitfalls train`."
        )
    from pitfalls_tf.training.train import TrainingOutput  # noqa: PLC0415 - loads TensorFlow
    from pitfalls_tf.training.train import train as train_setup  # noqa: PLC0415 - as above

    logs = None if tensorboard is None else Path(tensorboard)
    output = TrainingOutput(runs=Path(out), fresh=fresh, tensorboard=logs)
    return train_setup(setup, seeds=seeds, output=output, progress=progress)


def compare(
    a: TrainingResult | str | Path,
    b: TrainingResult | str | Path,
    *,
    metric: str | None = None,
    smallest: float = SMALLEST_DIFFERENCE,
    larger_is_better: bool | None = None,
) -> Verdict:
    """Whether setup `a` is better than setup `b`, over paired seeds and domains.

    >>> import tempfile
    >>> import pandas as pd
    >>> brier = {"plain": [0.15, 0.16, 0.15, 0.17], "tuned": [0.12, 0.12, 0.13, 0.12]}
    >>> rows = [
    ...     (setup, "all", seed, "brier", value) for setup, values in brier.items() for seed, value in enumerate(values)
    ... ]
    >>> path = tempfile.mkdtemp() + "/scores.csv"
    >>> pd.DataFrame(rows, columns=["setup", "domain", "seed", "metric", "value"]).to_csv(path, index=False)
    >>> verdict = compare(f"{path}:tuned", f"{path}:plain")
    >>> verdict.overall.outcome, round(verdict.gain, 3)
    ('better', 0.035)

    Args:
        a: What `train` returned, a folder of runs, or a table with the columns setup, domain, seed, metric and value;
            "TABLE:SETUP" selects a setup of a table with several.
        b: The other.
        metric: The metric; None: the Brier score, or the only one.
        smallest: The smallest difference that matters.
        larger_is_better: The direction of a metric that is not known; None: that of the known one.

    Returns:
        Whether `a` is "better", "worse" or "inconclusive", with the gain, its interval, each domain, and how many more
        seeds would decide.

    Raises:
        BadInput: The scores cannot be read or paired.
    """
    from pitfalls_tf.verdicts.scores import pair_scores, read_scores  # noqa: PLC0415 - loads TensorFlow

    first, second = (
        read_scores(str(result if isinstance(result, str | Path) else result.ensemble.folder)) for result in (a, b)
    )
    pairs = pair_scores(first, second, metric=metric, larger_is_better=larger_is_better)
    return judge(pairs, smallest=smallest)
