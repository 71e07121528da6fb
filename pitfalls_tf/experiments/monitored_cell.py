"""A deployment of a fitted network, watched: when the monitor paged, and what harm there was before and after.

The cheap road: the network's answers go to the monitor as a table, the way `docs/tutorials/your-own-table.md` does it.
Nothing is exported or served; `pitfalls demo` does that, with the same monitor at its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from monitoring.baseline.metrics import row_losses
from pitfalls_tf.experiments.tasks import digest
from pitfalls_tf.experiments.training_cell import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from pitfalls_tf.examples import Examples
    from pitfalls_tf.experiments.tasks import Task
    from pitfalls_tf.recipes import Recipe

WATCHED: Final = "watched"  # the split of these rows
KNOWN_AFTER: Final = timedelta(days=40)  # labels are all there when the windows are judged


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoredCell:
    """A recipe on a task whose rows have times, and its deployment as one stream, judged by day."""

    setup: str
    task: Task
    recipe: Recipe

    def identity(self) -> Mapping[str, Any]:
        """A recipe's dataclasses print all their settings."""
        return {"recipe": repr(self.recipe), "data": digest(self.task), "watched": "days"}

    def run(self, seeds: Sequence[int]) -> Mapping[int, pa.Table]:
        """Fit the seeds, and watch each. Cost: about ten seconds a seed, and TFDV's import once."""
        from pitfalls_tf import ensemble  # noqa: PLC0415 - loads TensorFlow

        fits = ensemble.fit(self.recipe, self.task.training, seeds=seeds)
        parts: dict[str, list[Examples]] = {"random": [], "blocked": [], "deployed": []}
        for part in self.task.parts:
            parts[part.split].append(part.examples)
        deployed = in_time(parts["deployed"])
        held = in_time(parts["random"] + parts["blocked"])
        found = {}
        for seed in seeds:
            one = fits.one(seed)
            if one.members[0].diverged:
                found[seed] = _rows(seed, {"diverged": 1.0})
                continue
            said = {name: one.predict(rows.inputs)[0] for name, rows in (("held", held), ("deployed", deployed))}
            promised = float(_brier(one.predict(parts["random"][0].inputs)[0], parts["random"][0]).mean())
            losses = _brier(said["deployed"], deployed)
            paged = first_page(answers(said["held"], held), answers(said["deployed"], deployed), deployed)
            found[seed] = _rows(seed, {"diverged": 0.0, **harm(losses, deployed.times, promised, paged)})
        return found


def in_time(parts: Sequence[Examples]) -> Examples:
    """All rows of some parts in order of time."""
    together = replace(
        parts[0],
        inputs=np.concatenate([part.inputs for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        domains=np.concatenate([part.domains for part in parts]),
        times=np.concatenate([part.times for part in parts]),
    )
    return together.take(np.argsort(together.times, kind="stable"))


def harm(
    losses: NDArray[np.float64], times: NDArray[np.datetime64], promised: float, paged: np.datetime64
) -> dict[str, float]:
    """Excess loss over what the benchmark promised, a row: all of it, and the part until the page (NaT: never).

    `days` is NaN where no page came; all harm is then done before the alarm.
    """
    excess = losses - promised
    before = np.ones(len(times), dtype=np.bool_) if np.isnat(paged) else times < paged
    days = float("nan") if np.isnat(paged) else float((paged - times.min()) / np.timedelta64(1, "D"))
    return {
        "promised": promised,
        "hidden": float(excess.mean()),
        "before": float(excess[before].sum() / len(excess)),
        "days": days,
        "paged": float(not np.isnat(paged)),
    }


def answers(probabilities: NDArray[np.float64], rows: Examples) -> pa.Table:
    """A table of predictions as anyone may have one: time, probability of the second class, label."""
    return pa.table(
        {
            "when": pa.array(rows.times.astype(np.int64), pa.int64()).cast(pa.timestamp("us", tz="UTC")),
            "score": pa.array(probabilities[:, 1]),
            "label": pa.array(np.array(rows.classes, dtype=object)[rows.targets], pa.string()),
        }
    )


def first_page(reference: pa.Table, live: pa.Table, rows: Examples) -> np.datetime64:
    """When the window ended whose judgement paged first; NaT if none did."""
    from monitoring import Monitor  # noqa: PLC0415 - brings SQLAlchemy and, for the schema, TFDV

    last: datetime = rows.times.max().astype("datetime64[us]").item()
    moment = last.replace(tzinfo=UTC) + KNOWN_AFTER
    monitor = Monitor.from_reference(
        reference, event_time="when", scores=("score",), label="label", classes=rows.classes, clock=lambda: moment
    )
    pages = [one.window_end for one in monitor.run(live).incidents if one.level == "page"]
    return np.datetime64(min(pages).replace(tzinfo=None), "us") if pages else np.datetime64("NaT", "us")


def _brier(probabilities: NDArray[np.float64], rows: Examples) -> NDArray[np.float64]:
    return row_losses(probabilities, rows.targets)["brier"]


def _rows(seed: int, values: Mapping[str, float]) -> pa.Table:
    rows = [
        {
            "source": "flights",
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
