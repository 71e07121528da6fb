"""The served cell: a fitted network is exported, served and monitored; when did it page, and how much harm came before?

The pipeline of `pitfalls demo` with any model: a bundle with its baseline, `pitfalls serve` in its own process, every
deployed row as a request at its event time with its label at the label's time, and the monitor on the traffic log. The
scores are those of the logged answers.
"""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from monitoring.baseline.metrics import row_losses
from pitfalls_tf.experiments.cells.training_cell import CODE, SCHEMA
from pitfalls_tf.experiments.tasks.task import task_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pitfalls_tf.experiments.tasks.task import RawRows, Task
    from pitfalls_tf.fitting.fits import Fits
    from pitfalls_tf.fitting.recipe import Recipe

    Floats = NDArray[np.float64]
    Times = NDArray[np.datetime64]

WATCHED: Final = "watched"  # the split of these rows
PAGE_BUDGET: Final = "1 per 365 windows"  # what the monitor promises in the experiments of docs/paper
KNOWN_AFTER: Final = timedelta(days=40)  # all labels have arrived when the windows are evaluated
ROWS_PER_REQUEST: Final = 256
NEVER: Final = np.datetime64("NaT", "us")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedCell:
    """A recipe on a task, and how its deployment is monitored.

    Attributes:
        setup: name of the setup.
        task: encoded rows to train on and to score.
        raw: the same rows before encoding.
        recipe: how to train.
        slices: columns whose values the monitor watches separately.
        timezone: time zone of the monitor's windows.
    """

    setup: str
    task: Task
    raw: RawRows
    recipe: Recipe
    slices: tuple[str, ...] = ()
    timezone: str = "UTC"

    @property
    def code(self) -> tuple[str, ...]:
        """This module, the parts of recipes, and the server, which runs in its own process."""
        return (__name__, *CODE, "pitfalls_tf.cli.serve")

    def identity(self) -> Mapping[str, Any]:
        """Recipe, data and monitoring; the raw rows follow from the task."""
        monitored = {"slices": self.slices, "timezone": self.timezone, "pipeline": "served"}
        return {"recipe": repr(self.recipe), "data": task_digest(self.task), "monitored": monitored}

    def run(self, seeds: Sequence[int]) -> Mapping[int, pa.Table]:
        """Fit the seeds, serve them together, and monitor each.

        Cost: for flights, about a minute per seed on two cores, plus the start of a server.

        Returns:
            Rows with the columns of `training_cell.SCHEMA`, by seed.
        """
        from pitfalls_tf.fitting import ensemble  # noqa: PLC0415 - loads TensorFlow

        fits = ensemble.fit(self.recipe, self.task.training, seeds=seeds)
        healthy = [seed for seed in seeds if seed not in fits.diverged]
        tables = {seed: self._rows(seed, {"diverged": 1.0}) for seed in fits.diverged}
        with tempfile.TemporaryDirectory(prefix="pitfalls-served-") as name:
            folder = Path(name)
            for seed in healthy:
                self._export(fits, seed, folder)
            self._serve(healthy, folder)
            for seed in healthy:
                tables[seed] = self._rows(seed, {"diverged": 0.0, **self._monitor(fits, seed, folder)})
        return tables

    def _name(self, seed: int) -> str:
        return f"{self.setup}-{seed}"

    def _export(self, fits: Fits, seed: int, folder: Path) -> None:
        """Export preprocessing and network of a seed as a bundle whose baseline is the held-out rows."""
        from pitfalls_tf.rows import feature_encoding  # noqa: PLC0415 - loads Keras
        from pitfalls_tf.rows.examples import Examples  # noqa: PLC0415 - as above
        from pitfalls_tf.rows.reference_rows import reference_table  # noqa: PLC0415 - only here
        from pitfalls_tf.training import deployed_model  # noqa: PLC0415 - loads Keras
        from serving.export.export import export_bundle  # noqa: PLC0415 - loads TensorFlow
        from serving.export.manifest import Provenance  # noqa: PLC0415 - as above

        held = self.raw.held
        probabilities = fits.of_seed(seed).predict(Examples.from_table(held, self.raw.encoding).inputs)[0]
        export_bundle(
            deployed_model.with_preprocessing(
                feature_encoding.preprocessing_model(self.raw.encoding), fits.model(seed)
            ),
            name=self._name(seed),
            models=folder / "models",
            reference=reference_table(held, probabilities),
            provenance=Provenance(classes=held.classes, setup={"recipe": repr(self.recipe)}, seed=seed),
            clock=self._after_deployment,
        )

    def _serve(self, seeds: Sequence[int], folder: Path) -> None:
        """Replay the deployed rows with their labels to each model, into one traffic log."""
        from pitfalls_tf.replay import ReplayOptions, ReplayPlan, replay  # noqa: PLC0415 - brings httpx
        from pitfalls_tf.replay.server_process import ServerFolders, ServerProcess  # noqa: PLC0415 - starts a process

        if not seeds:
            return
        token = secrets.token_urlsafe(24)
        folders = ServerFolders(models=folder / "models", traffic=folder / "traffic", own=folder)
        with ServerProcess(folders, token=token) as server:
            url = server.start()
            for seed in seeds:
                name = self._name(seed)
                plan = ReplayPlan(
                    rows_per_request=ROWS_PER_REQUEST, prefix=name, label="label", label_time="label_time"
                )
                replay(self.raw.deployed.rows, url=url, model=name, plan=plan, options=ReplayOptions(token=token))
            server.stop()

    def _monitor(self, fits: Fits, seed: int, folder: Path) -> dict[str, float]:
        from monitoring.traffic.log.log import TrafficLog  # noqa: PLC0415 - only here

        held = next(part.examples for part in self.task.parts if part.split == "random")
        promised = float(row_losses(fits.of_seed(seed).predict(held.inputs)[0], held.targets)["brier"].mean())
        log = TrafficLog(folder / "traffic").table(model=self._name(seed))
        times = log["event_time"].to_numpy().astype("datetime64[us]")
        return measure_harm(
            served_losses(log, self.raw.deployed.classes), times, promised, self._first_page(seed, folder)
        )

    def _first_page(self, seed: int, folder: Path) -> np.datetime64:
        """End of the first window that raised a page; NaT if no window did."""
        from monitoring.config import ConfigDraft, load_config  # noqa: PLC0415 - brings pydantic
        from monitoring.jobs.config_file import write_config  # noqa: PLC0415 - as above
        from monitoring.jobs.run import run_due_windows  # noqa: PLC0415 - as above
        from monitoring.store.store import Store  # noqa: PLC0415 - brings SQLAlchemy

        name = self._name(seed)
        draft = ConfigDraft(
            bundle=f"../models/{name}",
            traffic="../traffic",
            slices=self.slices,
            timezone=self.timezone,
            page=PAGE_BUDGET,
        )
        config = load_config(write_config(draft, folder / f"monitor-{name}").config)
        with Store.open(config.store.url) as store:
            opened = run_due_windows(config, store, clock=self._after_deployment).opened
        pages = [one.opened_at for one in opened if one.level == "page"]
        return np.datetime64(min(pages).astimezone(UTC).replace(tzinfo=None), "us") if pages else NEVER

    def _after_deployment(self) -> datetime:
        """A time at which every window is due."""
        last: datetime = self.raw.deployed.rows["event_time"][-1].as_py()
        return last.astimezone(UTC) + KNOWN_AFTER

    def _rows(self, seed: int, values: Mapping[str, float]) -> pa.Table:
        rows = [
            {
                "source": self.task.source,
                "setup": "",
                "split": "training" if name == "diverged" else WATCHED,
                "domain": "all",
                "seed": seed,
                "epoch": None,
                "metric": name,
                "value": value if np.isfinite(value) else None,
            }
            for name, value in values.items()
        ]
        return pa.Table.from_pylist(rows, schema=SCHEMA)


def served_losses(log: pa.Table, classes: Sequence[str]) -> Floats:
    """Brier score of each logged answer against its label.

    Args:
        log: table of a traffic log, n rows with `probabilities` and `label`.
        classes: class names in the order of the probabilities.

    Returns:
        Scores, shape [n].
    """
    flat = log["probabilities"].combine_chunks().flatten()
    probabilities = np.asarray(flat, dtype=np.float64).reshape(len(log), len(classes))
    indices = {name: index for index, name in enumerate(classes)}
    targets = np.array([indices[label] for label in log["label"].to_pylist()], dtype=np.int64)
    return row_losses(probabilities, targets)["brier"]


def measure_harm(losses: Floats, times: Times, promised: float, paged: np.datetime64) -> dict[str, float]:
    """Measure the loss beyond the benchmark's promise, and the part of it that came before the first page.

    Args:
        losses: Brier score of each deployed row, shape [n].
        times: event time of each row, shape [n].
        promised: mean Brier score on the random hold-out.
        paged: time of the first page; NaT if there was none.

    Returns:
        Values per row of the deployment: `hidden`, the mean loss minus `promised`, where better months offset worse
        ones; `harm`, the same over the worse months only; `before`, the part of `harm` before the page, in the month of
        the page in proportion to the rows before it, and all of it without a page. Also `promised`, `days` from the
        first row to the page (NaN without one) and `paged` (1 or 0).
    """
    excess = losses - promised
    before = np.ones(len(times), dtype=np.bool_) if np.isnat(paged) else times < paged
    months = times.astype("datetime64[M]")
    total, until = np.sum(
        [_harm_of_month(excess, before, months == month) for month in np.unique(months)], axis=0
    ) / len(times)
    days = float("nan") if np.isnat(paged) else float((paged - times.min()) / np.timedelta64(1, "D"))
    return {
        "promised": promised,
        "hidden": float(excess.mean()),
        "harm": float(total),
        "before": float(until),
        "days": days,
        "paged": float(not np.isnat(paged)),
    }


def _harm_of_month(excess: Floats, before: NDArray[np.bool_], month: NDArray[np.bool_]) -> tuple[float, float]:
    harm = max(0.0, float(excess[month].sum()))
    return harm, harm * float(before[month].mean())
