"""The rows of a composed setup, each kind for its purpose: to learn from, to stop by, to adapt to, to be scored on."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from monitoring.errors import BadInput
from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.rows.splits import blocked_split, domain_split, random_split, time_split

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pitfalls_tf.rows.feature_encoding import Encoding
    from pitfalls_tf.rows.splits import Split
    from pitfalls_tf.rows.table import Table
    from pitfalls_tf.training.setup import ComposedSetup

    Positions = NDArray[np.int64]

SHARE: Final = 0.2  # of rows or blocks that are held out
VALIDATION: Final = 0.15  # of the rows to learn from, where a seed may stop early
SEED: Final = 1977  # of the splits: the same rows whatever the seed of a run
BLOCK_DAYS: Final = {"flights": 3, "rodents": 90, "table": 7}
STARTS: Final = {"flights": "2013-04-01T04:00:00+00:00", "rodents": "1984-01-01T07:00:00+00:00"}
UNSEEN: Final = ("uci", "font")  # of digits
LATEST: Final = 0.75  # of a table without a moment to split at, the share of rows before it


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Positions of rows by what they are for, ascending; and the split in words."""

    training: Positions
    validation: Positions
    target: Positions
    scored: Positions
    described: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What the seeds of a setup are given.

    table, encoding   what the rows were encoded from and how; None for images
    ids               int64, one per scored row: where it stands in its source
    digest            sha256 of all rows of the source, whatever their role
    """

    training: Examples
    validation: Examples | None
    target: Examples | None
    scored: Examples
    table: Table | None
    encoding: Encoding | None
    roles: Roles
    ids: Positions
    digest: str


def prepare(setup: ComposedSetup) -> Prepared:
    """Load the source, part its rows, and encode them by the training rows.

    Raises:
        BadInput: the source cannot be read, the split has nothing on one side, or its domains or moment are not there.

    Cost: reading and encoding; for flights about 6 s and 300 MB.
    """
    if setup.source == "digits":
        return _images(setup)
    table = _table(setup)
    days = table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    times = table.rows["event_time"].to_numpy().astype("datetime64[us]")
    domains = np.asarray(table.domains.to_pylist(), dtype=np.str_)
    roles = _roles(setup, _split(setup, days, times, domains), days)
    from pitfalls_tf.rows import feature_encoding  # noqa: PLC0415 - loads Keras

    learnt = table.take(roles.training)
    encoding = feature_encoding.fit(learnt.rows, learnt.features)

    def encoded(positions: Positions) -> Examples:
        return Examples.from_table(table.take(positions), encoding)

    return _prepared(encoded, roles, table=table, encoding=encoding, ids=roles.scored, digest=table.digest())


def _images(setup: ComposedSetup) -> Prepared:
    from pitfalls_tf.sources import digits  # noqa: PLC0415 - reads images

    images = digits.load()
    # They have no days; blocks are refused by the split itself.
    split = _split(setup, images.times, images.times, images.domains)
    roles = _roles(setup, split, None)
    found = hashlib.sha256(images.inputs.tobytes() + images.targets.tobytes() + images.domains.tobytes())
    return _prepared(images.take, roles, table=None, encoding=None, ids=roles.scored, digest=found.hexdigest())


def _prepared(encoded: Callable[[Positions], Examples], roles: Roles, **more: Any) -> Prepared:
    return Prepared(
        training=encoded(roles.training),
        validation=encoded(roles.validation) if len(roles.validation) else None,
        target=encoded(roles.target) if len(roles.target) else None,
        scored=encoded(roles.scored),
        roles=roles,
        **more,
    )


def _table(setup: ComposedSetup) -> Table:
    if setup.table is not None:
        return setup.table.load()
    loaded: Table = importlib.import_module(f"pitfalls_tf.sources.{setup.source}").load()
    return loaded


def _split(
    setup: ComposedSetup, days: NDArray[np.datetime64], times: NDArray[np.datetime64], domains: NDArray[np.str_]
) -> Split:
    kind = setup.split
    if kind == "random":
        return random_split(len(domains), share=SHARE, seed=SEED)
    if kind == "blocked":
        length = BLOCK_DAYS.get(setup.source, 1)
        if setup.source == "table" and days.max() - days.min() < np.timedelta64(10 * length, "D"):
            length = 1
        return blocked_split(days, block_days=length, share=SHARE, seed=SEED)
    if kind == "time":
        return time_split(times, at=_moment(setup, times))
    return domain_split(domains, held_out=_domains(setup, domains))


def _moment(setup: ComposedSetup, times: NDArray[np.datetime64]) -> datetime:
    said = setup.held_out.at or STARTS.get(setup.source)
    if said is None:
        if np.isnat(times).any():
            raise BadInput(
                "Rows without a time cannot be split by it.",
                got=setup.source,
                expected="a source whose rows have times",
                fix="Split at random or by domain.",
            )
        latest: datetime = np.sort(times)[int(LATEST * (len(times) - 1))].item()
        return latest.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as error:
        raise BadInput(
            "This is no moment.", got=repr(said), expected="ISO 8601", fix="For example --at 2013-04-01."
        ) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _domains(setup: ComposedSetup, domains: NDArray[np.str_]) -> list[str]:
    wanted = setup.held_out.domains or (UNSEEN if setup.source == "digits" else ())
    there: list[str] = np.unique(domains).tolist()
    if not wanted:
        some = sorted({name.split("/")[0] for name in there})
        raise BadInput(
            "Which domains are to be held out?",
            got="none named",
            expected=f"of: {', '.join(some[:20])}{' …' if len(some) > 20 else ''}",
            fix=f"For example --held-out {some[0]}.",
        )
    found = []
    for name in wanted:
        # One that is not there is named by the split, which knows what is.
        found += [one for one in there if one == name or one.startswith(f"{name}/")] or [name]
    return found


def _roles(setup: ComposedSetup, split: Split, days: NDArray[np.datetime64] | None) -> Roles:
    """Held-out rows are halved where a remedy adapts to them: none that is scored was adapted to."""
    training, none = split.training, np.zeros(0, dtype=np.int64)
    validation, target, scored = none, none, split.held_out
    if setup.stopping is not None:
        inner = (
            random_split(len(training), share=VALIDATION, seed=SEED + 1)
            if days is None or setup.split == "random"
            else blocked_split(
                days[training], block_days=BLOCK_DAYS.get(setup.source, 1), share=VALIDATION, seed=SEED + 1
            )
        )
        training, validation = training[inner.training], training[inner.held_out]
    described = split.described
    if setup.fix is not None and "target" in setup.fix.needs:
        halves = random_split(len(scored), share=0.5, seed=SEED + 2)
        target, scored = scored[halves.training], scored[halves.held_out]
        described += "; half of the held-out rows to adapt to, the other half scored"
    return Roles(training=training, validation=validation, target=target, scored=scored, described=described)


def remedied(prepared: Prepared, setup: ComposedSetup) -> Prepared:
    """The rows as the setup's remedy prepares them; no label is looked at."""
    if setup.fix is None:
        return prepared
    change = setup.fix.prepared(setup.recipe, prepared.training, prepared.target)
    return replace(
        prepared,
        training=change(prepared.training),
        validation=None if prepared.validation is None else change(prepared.validation),
        target=None if prepared.target is None else change(prepared.target),
        scored=change(prepared.scored),
    )
