"""The served cell: a fitted network is exported, served and monitored; when did it page, and how much harm came before?

The pipeline of `pitfalls demo` with any model: a bundle with its baseline, `pitfalls serve` in its own process, every
deployed row as a request at its event time with its label at the label's time, and the monitor on the traffic log. The
scores are those of the logged answers.
"""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from monitoring.baseline.metrics import row_losses
from monitoring.traffic.log.log import TrafficLog
from pitfalls_tf.experiments.cells.training_cell import CODE, SCHEMA
from pitfalls_tf.experiments.tasks.task import ALL_ROWS, task_digest
from serving.export.manifest import Provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from monitoring.config import MonitorConfig
    from monitoring.records import IncidentRecord
    from monitoring.store.store import Store
    from pitfalls_tf.experiments.cells.deployments import Deployment
    from pitfalls_tf.experiments.tasks.task import Task
    from pitfalls_tf.fitting.fits import Fits
    from pitfalls_tf.fitting.recipe import Recipe

    Measured = tuple[str, str, float]  # metric, domain and value

    Floats = NDArray[np.float64]
    Times = NDArray[np.datetime64]

WATCHED: Final = "watched"  # the split of these rows
DEPLOYMENTS: Final = "pitfalls_tf.experiments.cells.deployments"
NAMED: Final = "named"  # metric of a named value, followed by the monitor's name
DRILL_WINDOWS: Final = 20
DRILL_REPLICATES: Final = 2
PAGE_BUDGET: Final = "1 per 365 windows"  # what the monitor promises in the experiments of docs/paper
KNOWN_AFTER: Final = timedelta(days=40)  # all labels have arrived when the windows are evaluated
ROWS_PER_REQUEST: Final = 256
NEVER: Final = np.datetime64("NaT", "us")


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSetting:
    """A monitor of a deployment.

    Attributes:
        drilled: whether faults are planted in the traffic of seed 0 afterwards, see `pitfalls drill`.
    """

    name: str = ALL_ROWS
    slices: tuple[str, ...] = ()
    timezone: str = "UTC"
    names: str | None = None
    drilled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedCell:
    """A recipe on a task, and how its deployment is monitored. `monitors`: monitors of the same traffic log."""

    setup: str
    task: Task
    deployment: Deployment
    recipe: Recipe
    monitors: tuple[MonitorSetting, ...] = (MonitorSetting(),)

    @property
    def code(self) -> tuple[str, ...]:
        """This module, what is served, the parts of recipes, and the server, which runs in its own process."""
        return (__name__, DEPLOYMENTS, *CODE, "pitfalls_tf.cli.serve")

    def identity(self) -> Mapping[str, Any]:
        """Recipe, data and monitoring."""
        monitored = {
            "monitors": [asdict(monitor) for monitor in self.monitors],
            "rows": dict(self.deployment.identity()),
        }
        return {"recipe": repr(self.recipe), "data": task_digest(self.task), "monitored": monitored}

    def run(self, seeds: Sequence[int]) -> Mapping[int, pa.Table]:
        """Fit the seeds, serve them together, and monitor each.

        Cost: for flights, about a minute per seed on two cores, plus the start of a server.
        """
        from pitfalls_tf.fitting import ensemble  # noqa: PLC0415 - loads TensorFlow

        fits = ensemble.fit(self.recipe, self.task.training, seeds=seeds)
        healthy = [seed for seed in seeds if seed not in fits.diverged]
        tables = {seed: self._rows(seed, [("diverged", ALL_ROWS, 1.0)]) for seed in fits.diverged}
        with tempfile.TemporaryDirectory(prefix="pitfalls-served-") as name:
            folder = Path(name)
            for seed in healthy:
                self._export(fits, seed, folder)
            self._serve(healthy, folder)
            for seed in healthy:
                values = [("diverged", ALL_ROWS, 0.0), *self._measured(fits, seed, folder)]
                tables[seed] = self._rows(seed, values)
        return tables

    def _name(self, seed: int) -> str:
        return f"{self.setup}-{seed}"

    def _export(self, fits: Fits, seed: int, folder: Path) -> None:
        """Export preprocessing and network of a seed as a bundle with its baseline."""
        from serving.export.export import export_bundle  # noqa: PLC0415 - loads TensorFlow

        export_bundle(
            self.deployment.model(fits, seed),
            folder=folder / "models" / self._name(seed),
            reference=self.deployment.reference(fits, seed),
            provenance=Provenance(classes=self.deployment.classes, setup={"recipe": repr(self.recipe)}, seed=seed),
            clock=self._after_deployment,
        )

    def _serve(self, seeds: Sequence[int], folder: Path) -> None:
        """Replay the deployed rows with their labels to each model, into one traffic log."""
        from monitoring.config.table_section import TableSection  # noqa: PLC0415 - brings pydantic
        from pitfalls_tf.replay import ReplayOptions, ReplayPlan, replay  # noqa: PLC0415 - brings httpx
        from pitfalls_tf.replay.server_process import ServerFolders, ServerProcess  # noqa: PLC0415 - starts a process

        if not seeds:
            return
        token = secrets.token_urlsafe(24)
        folders = ServerFolders(models=folder / "models", traffic=folder / "traffic", process=folder)
        with ServerProcess(folders, token=token) as server:
            url = server.start()
            for seed in seeds:
                name = self._name(seed)
                plan = ReplayPlan(
                    rows_per_request=ROWS_PER_REQUEST,
                    prefix=name,
                    label="label",
                    columns=TableSection(label_time="label_time"),
                )
                replay(self.deployment.traffic, url=url, model=name, plan=plan, options=ReplayOptions(token=token))
            server.stop()

    def _measured(self, fits: Fits, seed: int, folder: Path) -> list[Measured]:
        """Metric, domain and value of everything that is measured of a seed."""
        held = next(part.examples for part in self.task.parts if part.split == "random")
        promised = float(row_losses(fits.of_seed(seed).predict(held.inputs)[0], held.targets)["brier"].mean())
        log = TrafficLog(folder / "traffic").table(model=self._name(seed))
        times = log["event_time"].to_numpy().astype("datetime64[us]")
        losses = served_losses(log, self.deployment.classes)
        measured: list[Measured] = []
        for setting in self.monitors:
            incidents, drilled = self._monitor(seed, setting, folder)
            harm = measure_harm(losses, times, promised, first_page(incidents))
            measured += [(name, setting.name, value) for name, value in harm.items()]
            if setting.names is not None:
                measured += named_values(incidents, log, setting, times.min())
                measured += harm_by_value(losses - promised, log, setting.names)
            measured += drilled
        return measured

    def _monitor(
        self, seed: int, setting: MonitorSetting, folder: Path
    ) -> tuple[Sequence[IncidentRecord], list[Measured]]:
        """The incidents of a monitor, and the results of its drill."""
        from monitoring.config import load_config  # noqa: PLC0415 - brings pydantic
        from monitoring.onboarding.config_file import write_config  # noqa: PLC0415 - as above
        from monitoring.runs.run import run_due_windows  # noqa: PLC0415 - as above
        from monitoring.store.store import Store  # noqa: PLC0415 - brings SQLAlchemy

        name = self._name(seed)
        settings = {
            "model": {"bundle": f"../models/{name}"},
            "traffic": {"path": "../traffic", "slices": setting.slices},
            "windows": {"timezone": setting.timezone},
            "budget": {"page": PAGE_BUDGET},
        }
        place = folder / f"monitor-{name}-{self.monitors.index(setting)}"
        config = load_config(write_config(settings, place).config)
        with Store.open(config.store.url) as store:
            opened = run_due_windows(config, store, clock=self._after_deployment).opened
            drilled = _drilled(config, store, self._after_deployment) if setting.drilled and seed == 0 else []
        return opened, drilled

    def _after_deployment(self) -> datetime:
        """A time at which every window is due."""
        return self.deployment.last + KNOWN_AFTER

    def _rows(self, seed: int, measured: Sequence[Measured]) -> pa.Table:
        rows = [
            {
                "source": self.task.source,
                "setup": "",
                "split": "training" if name == "diverged" else WATCHED,
                "domain": domain,
                "seed": seed,
                "epoch": None,
                "metric": name,
                "value": value if np.isfinite(value) else None,
            }
            for name, domain, value in measured
        ]
        return pa.Table.from_pylist(rows, schema=SCHEMA)


def first_page(incidents: Sequence[IncidentRecord]) -> np.datetime64:
    """End of the first window that raised a page; NaT if no window did."""
    pages = [incident.opened_at for incident in incidents if incident.level == "page"]
    return np.datetime64(min(pages).astimezone(UTC).replace(tzinfo=None), "us") if pages else NEVER


def named_values(
    incidents: Sequence[IncidentRecord], log: pa.Table, setting: MonitorSetting, start: np.datetime64
) -> list[Measured]:
    """The values of a column in the rows that pages show, and when each was named first.

    Args:
        log: table of the traffic log, with `prediction_id` and the column.
    """
    values = dict(zip(log["prediction_id"].to_pylist(), log[str(setting.names)].to_pylist(), strict=True))
    first: dict[str, float] = {}
    for incident in sorted(incidents, key=lambda incident: incident.opened_at):
        if incident.level != "page" or incident.detail is None:
            continue
        opened = np.datetime64(incident.opened_at.astimezone(UTC).replace(tzinfo=None), "us")
        for row in incident.detail.rows:
            if row.prediction_id in values:
                first.setdefault(values[row.prediction_id], float((opened - start) / np.timedelta64(1, "D")))
    return [(f"{NAMED}: {setting.name}", value, days) for value, days in first.items()]


def harm_by_value(excess: Floats, log: pa.Table, column: str) -> list[Measured]:
    """Excess of the loss over the promise by value of a column, per row of the whole deployment."""
    values = np.asarray(log[column].to_pylist())
    return [("excess", str(value), float(excess[values == value].sum()) / len(values)) for value in np.unique(values)]


def _drilled(config: MonitorConfig, store: Store, clock: Callable[[], datetime]) -> list[Measured]:
    """Share of the replicates of each fault that was detected at its level, and the median delay in windows."""
    from monitoring.drills.drill import DrillRequest, run_drill  # noqa: PLC0415 - only here

    drill = run_drill(
        config, store, DrillRequest(windows=DRILL_WINDOWS, replicates=DRILL_REPLICATES, by="reproduce"), clock=clock
    )
    measured: list[Measured] = []
    for fault in drill.faults:
        domain = f"{fault.title} ({fault.level})"
        measured.append(("drill detected", domain, len(fault.detected) / len(fault.runs)))
        measured.append(("drill delay", domain, float("nan" if fault.median_delay is None else fault.median_delay)))
    return measured


def served_losses(log: pa.Table, classes: Sequence[str]) -> Floats:
    """Brier score of each logged answer against its label. Returns scores, shape [n].

    Args:
        log: table of a traffic log, n rows with `probabilities` and `label`.
        classes: class names in the order of the probabilities.
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
