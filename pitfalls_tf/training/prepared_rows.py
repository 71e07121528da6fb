"""The encoded rows of a setup: for every fit of a run what it is given, and the held-out rows that it scores."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pitfalls_tf.fitting.fit_rows import FitRows
from pitfalls_tf.rows import feature_encoding
from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.rows.feature_encoding import Encoding
from pitfalls_tf.rows.table import Table
from pitfalls_tf.sources import digits, letters
from pitfalls_tf.training.row_roles import FitRoles, RunRoles, SplitColumns, assign_roles
from pitfalls_tf.training.setup import IMAGES, Setup

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedFit:
    """One fit of a run.

    rows       what it is given
    scored     the held-out rows that it scores, labelled or not; none of the others scores them
    positions  int64, one per scored row: its position among the source's rows
    """

    rows: FitRows
    scored: Examples
    positions: Positions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedRows:
    """The rows of every fit of a run.

    fits       the fits that are scored: one, or one per fold
    deployed   the rows of one more fit, whose model is deployed; None where the one scored fit is deployed itself
    table      what the rows were encoded from; None for images
    encoding   of the deployed model; None for images
    digest     sha256 of all rows of the source, whatever their role
    described  the split in words
    """

    fits: tuple[PreparedFit, ...]
    deployed: FitRows | None
    table: Table | None
    encoding: Encoding | None
    digest: str
    described: str


def prepare(setup: Setup) -> PreparedRows:
    """Load the source, split its rows, and encode each fit's rows by its training rows.

    Cost: reading and encoding; for a year of flights about 6 s and 300 MB.
    """
    if setup.source in IMAGES:
        return _prepare_images(setup)
    table = load_table(setup)
    columns = SplitColumns(
        days=table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]"),
        times=table.rows["event_time"].to_numpy().astype("datetime64[us]"),
        domains=np.asarray(table.domains.to_pylist(), dtype=np.str_),
    )
    roles = assign_roles(setup, columns)
    if roles.deployed is not None:
        return _prepare_folds(table, roles, roles.deployed)

    (only,) = roles.fits
    training = table.take(only.training)
    encoding = feature_encoding.fit(training.rows, training.features)
    fitted = _prepared_fit(only, lambda positions: Examples.from_table(table.take(positions), encoding))
    return PreparedRows(
        fits=(fitted,), deployed=None, table=table, encoding=encoding, digest=table.digest(), described=roles.described
    )


def load_table(setup: Setup) -> Table:
    """Load a table setup's rows.

    Cost: reading the whole source, about a second for flights.
    """
    if setup.table is not None:
        return setup.table.load()
    loaded: Table = importlib.import_module(f"pitfalls_tf.sources.{setup.source}").load()
    return loaded if setup.period is None else loaded.between(setup.period.start, setup.period.end)


def with_remedy(prepared: PreparedRows, setup: Setup) -> PreparedRows:
    """Apply the setup's remedy to the rows, fitted separately on the training rows of each fit; no label is used."""
    remedy = setup.find_remedy()
    if remedy is None:
        return prepared

    def changed(rows: FitRows) -> tuple[FitRows, Callable[[Examples], Examples]]:
        change = remedy.fit_row_transform(setup.recipe, rows.training, rows.target)
        changed_rows = FitRows(
            training=change(rows.training),
            validation=None if rows.validation is None else change(rows.validation),
            target=None if rows.target is None else change(rows.target),
        )
        return changed_rows, change

    fits = []
    for fit in prepared.fits:
        rows, change = changed(fit.rows)
        fits.append(replace(fit, rows=rows, scored=change(fit.scored)))
    deployed = None if prepared.deployed is None else changed(prepared.deployed)[0]
    return replace(prepared, fits=tuple(fits), deployed=deployed)


def _prepare_images(setup: Setup) -> PreparedRows:
    images = _load_images(setup.source)
    roles = assign_roles(setup, SplitColumns(days=None, times=images.times, domains=images.domains))
    sha = hashlib.sha256(images.inputs.tobytes() + images.targets.tobytes() + images.domains.tobytes())
    return PreparedRows(
        fits=tuple(_prepared_fit(fit, images.take) for fit in roles.fits),
        deployed=None if roles.deployed is None else _prepared_fit(roles.deployed, images.take).rows,
        table=None,
        encoding=None,
        digest=sha.hexdigest(),
        described=roles.described,
    )


def _load_images(source: str) -> Examples:
    """All rows of a source of images; a domain of letters is `KIND/FAMILY`."""
    if source == "digits":
        return digits.load()

    every = letters.load()
    names = [f"{kind}/{family}" for kind, family in zip(every.kinds, every.examples.domains, strict=True)]
    return replace(every.examples, domains=np.array(names))


def _prepare_folds(table: Table, roles: RunRoles, deployed: FitRoles) -> PreparedRows:
    """The layout is that of all rows; what each fold's training rows do not have is zeroed in that fold."""
    encoding = feature_encoding.fit(table.rows, table.features)
    whole = Examples.from_table(table, encoding)
    fits = []
    for fit in roles.fits:
        inputs = feature_encoding.refit(whole.inputs, encoding, table.rows, fit.training)
        fits.append(_prepared_fit(fit, replace(whole, inputs=inputs).take))
    return PreparedRows(
        fits=tuple(fits),
        deployed=_prepared_fit(deployed, whole.take).rows,
        table=table,
        encoding=encoding,
        digest=table.digest(),
        described=roles.described,
    )


def _prepared_fit(roles: FitRoles, encoded: Callable[[Positions], Examples]) -> PreparedFit:
    rows = FitRows(
        training=encoded(roles.training),
        validation=encoded(roles.validation) if len(roles.validation) else None,
        target=encoded(roles.target) if len(roles.target) else None,
    )
    return PreparedFit(rows=rows, scored=encoded(roles.scored), positions=roles.scored)
