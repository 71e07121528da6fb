"""A setup by what its user chose: the tuned one of that name, or one composed of a source and choices."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from monitoring.errors import BadInput
from pitfalls_tf.rows.splits import SplitKind
from pitfalls_tf.sources.table import TableFile
from pitfalls_tf.training.setup import SETUPS, SOURCES, HeldOut, Setup

#: Columns of a table that have a flag each.
COLUMNS: Final = ("label", "time", "domain", "label_time")


def chosen_setup(  # noqa: PLR0913 - one parameter for each flag of `pitfalls train`
    name: str,
    *,
    architecture: str | None = None,
    remedy: str | None = None,
    split: SplitKind | None = None,
    held_out: Sequence[str] = (),
    at: str | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    learning_rate: float | None = None,
    stopping: int | None = None,
    table: Path | None = None,
    label: str | None = None,
    time: str | None = None,
    domain: str | None = None,
    label_time: str | None = None,
    ignore: Sequence[str] = (),
    categories: Sequence[str] = (),
    timezone: str = "UTC",
) -> Setup:
    """The tuned setup of a source where nothing is chosen, or one composed of the choices.

    >>> chosen_setup("flights").name
    'flights'
    >>> chosen_setup("rodents", epochs=3, split="domain").epochs
    3

    Args:
        architecture: A network; None: the source's conventional one.
        split: How rows are held out; None: the source's own way.
        at: Of a split by time, the first time held out, ISO 8601.
    """
    source = next((source for source in SOURCES if source == name), None)
    if source is None:
        near = difflib.get_close_matches(name, SOURCES, n=1)
        raise BadInput(
            "No such setup.",
            got=repr(name),
            expected=f"one of: {', '.join(sorted(SOURCES))}",
            fix=f"Did you mean {near[0]}?" if near else "Choose one of those.",
        )
    columns = {"table": table, "label": label, "time": time, "domain": domain, "label_time": label_time}
    held = HeldOut(split=split, at=at, domains=tuple(held_out))
    _check_columns(source, columns, held)
    choices: dict[str, Any] = {
        "architecture": architecture,
        "remedy": remedy,
        "epochs": epochs,
        "batch": batch,
        "learning_rate": learning_rate,
        "stopping": stopping,
    }
    if name in SETUPS and held == HeldOut() and not any(value is not None for value in choices.values()):
        return SETUPS[name]
    file = None
    if table is not None and label is not None and time is not None:
        file = TableFile(
            path=table.absolute(),
            label=label,
            time=time,
            domain=domain,
            label_time=label_time,
            timezone=timezone,
            ignored=tuple(ignore),
            categories=tuple(categories),
        )
    return Setup(source=source, held_out=held, table=file, **choices)


def _check_columns(source: str, columns: dict[str, Any], held: HeldOut) -> None:
    """Raises BadInput for columns of a source that has its own, and for a table without those that it needs.

    A table that holds out domains needs to know which, and of which column.
    """
    named = [f"--{name.replace('_', '-')}" for name in (*COLUMNS, "table") if columns[name] is not None]
    if source != "table":
        if named:
            raise BadInput(
                f"The rows of {source} are built in.",
                got=", ".join(named),
                expected="no columns",
                fix="Leave them out, or train SETUP table.",
            )
        return
    given = columns | {"held-out": held.domains or None}
    by_domain = held.split == "domain"
    needed = ("table", "label", "time", *(("domain", "held-out") if by_domain else ()))
    if missing := [f"--{name}" for name in needed if given[name] is None]:
        raise BadInput(
            "Training on a table needs its columns.",
            got=f"no {', '.join(missing)}",
            expected=", ".join(f"--{name}" for name in needed),
            fix="Name the file, its label column, and its time column"
            + (", the column of domains, and a domain to hold out." if by_domain else "."),
        )
