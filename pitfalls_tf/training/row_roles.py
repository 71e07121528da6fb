"""Which rows each fit of a run learns from, stops by, adapts to, and is scored on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from monitoring.errors import BadInput
from pitfalls_tf.rows.folds import Folds
from pitfalls_tf.rows.splits import blocked_split, domain_split, fold_splits, random_split, time_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pitfalls_tf.rows.splits import Split
    from pitfalls_tf.training.setup import Setup

    Positions = NDArray[np.int64]

HELD_OUT_SHARE: Final = 0.2  # of rows or blocks
VALIDATION_SHARE: Final = 0.15  # of the rows to learn from, where a seed may stop early
SPLIT_SEED: Final = 1977  # does not depend on the seed of a run
FOLDS: Final = 5
BLOCK_DAYS: Final = {"flights": 3, "rodents": 90, "table": 7}
FIRST_HELD_OUT: Final = {"flights": "2013-04-01T04:00:00+00:00", "rodents": "1984-01-01T07:00:00+00:00"}
# Of letters all families but the monospaced ones.
HELD_OUT: Final = {"digits": ("uci", "font"), "letters": ("ornamental", "other", "sans", "serif")}
SHARE_BEFORE: Final = 0.75  # of a table that is split by time without a moment


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SplitColumns:
    """What rows are split by, one value per row.

    days     datetime64[D]; None for images, which have no dates
    times    datetime64[us], UTC; NaT for images
    domains  str
    """

    days: NDArray[np.datetime64] | None
    times: NDArray[np.datetime64]
    domains: NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitRoles:
    """Positions of the rows of one fit by what they are for, ascending and without overlap."""

    training: Positions
    validation: Positions
    target: Positions
    scored: Positions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunRoles:
    """The rows of every fit of a run.

    fits       the fits that are scored: one, or one per fold; no row is scored twice
    deployed   the rows of one more fit, whose model is deployed; None where the one scored fit is deployed itself
    described  the split in words
    """

    fits: tuple[FitRoles, ...]
    deployed: FitRoles | None
    described: str


def assign_roles(setup: Setup, columns: SplitColumns) -> RunRoles:
    """Split the rows of a source as in the setup.

    A single held-out part is scored by the one fit, which is deployed as it is. With folds, every row is scored by the
    fit that did not train on it, and the deployed model is fitted once more on all rows.

    Returns:
        The rows of each fit. Where the remedy adapts to a target, one half of the held-out rows is the target and the
        other half is scored, so that no scored row was adapted to.
    """
    remedy = setup.find_remedy()
    adapts = remedy is not None and "target" in remedy.needs
    if setup.split == "folds":
        if adapts:
            raise BadInput(
                "A remedy that adapts to a target needs one held-out part.",
                got=f"{setup.remedy} with --split folds, which scores every row",
                expected="a split that leaves half of the held-out rows to adapt to",
                fix="Split by blocked, time, domain or random.",
            )
        return _fold_roles(setup, columns)
    split = _split(setup, columns)
    target, scored = _no_rows(), split.held_out
    described = split.described
    if adapts:
        halves = random_split(len(scored), share=0.5, seed=SPLIT_SEED + 2)
        target, scored = scored[halves.training], scored[halves.held_out]
        described += "; half of the held-out rows to adapt to, the other half scored"
    roles = _fit_roles(setup, columns, split.training, scored, target=target)
    return RunRoles(fits=(roles,), deployed=None, described=described)


def block_days(setup: Setup, days: NDArray[np.datetime64]) -> int:
    """The days that are held out together: a source's own number, 1 for a table of less than ten such blocks."""
    length = BLOCK_DAYS.get(setup.source, 1)
    short = setup.source == "table" and days.max() - days.min() < np.timedelta64(10 * length, "D")
    return 1 if short else length


def _fold_roles(setup: Setup, columns: SplitColumns) -> RunRoles:
    days = columns.times.astype("datetime64[D]") if columns.days is None else columns.days
    folds = setup.held_out.folds
    if folds is None:
        length = 1 if columns.days is None else block_days(setup, days)
        folds = Folds(count=FOLDS, block_days=length, seed=SPLIT_SEED)
    splits = fold_splits(days, folds)
    everything = np.arange(len(days), dtype=np.int64)
    return RunRoles(
        fits=tuple(_fit_roles(setup, columns, split.training, split.held_out) for split in splits),
        deployed=_fit_roles(setup, columns, everything, _no_rows()),
        described=splits[0].described,
    )


def _fit_roles(
    setup: Setup, columns: SplitColumns, training: Positions, scored: Positions, *, target: Positions | None = None
) -> FitRoles:
    """With validation rows taken out of the training rows where seeds may stop early."""
    validation = _no_rows()
    if setup.stopping is not None:
        seed = SPLIT_SEED + 1
        inner = (
            random_split(len(training), share=VALIDATION_SHARE, seed=seed)
            if columns.days is None or setup.split == "random"
            else blocked_split(
                columns.days[training], block_days=BLOCK_DAYS.get(setup.source, 1), share=VALIDATION_SHARE, seed=seed
            )
        )
        training, validation = training[inner.training], training[inner.held_out]
    return FitRoles(
        training=training, validation=validation, target=_no_rows() if target is None else target, scored=scored
    )


def _split(setup: Setup, columns: SplitColumns) -> Split:
    days, times, domains = columns.days, columns.times, columns.domains
    if setup.split == "random":
        return random_split(len(domains), share=HELD_OUT_SHARE, seed=SPLIT_SEED)
    if setup.split == "blocked":
        # Images have no days: the split refuses their times, which are all NaT.
        length = 1 if days is None else block_days(setup, days)
        return blocked_split(times if days is None else days, block_days=length, share=HELD_OUT_SHARE, seed=SPLIT_SEED)
    if setup.split == "time":
        return time_split(times, at=_first_held_out(setup, times))
    return domain_split(domains, held_out=_held_out_domains(setup, domains))


def _first_held_out(setup: Setup, times: NDArray[np.datetime64]) -> datetime:
    start = setup.held_out.at or FIRST_HELD_OUT.get(setup.source)
    if start is None:
        if np.isnat(times).any():
            raise BadInput(
                "Rows without a time cannot be split by it.",
                got=setup.source,
                expected="a source whose rows have times",
                fix="Split at random or by domain.",
            )
        moment: datetime = np.sort(times)[int(SHARE_BEFORE * (len(times) - 1))].item()
        return moment.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(start)
    except ValueError as error:
        raise BadInput(
            "--at is not a date or time.", got=repr(start), expected="ISO 8601", fix="For example --at 2013-04-01."
        ) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _held_out_domains(setup: Setup, domains: NDArray[np.str_]) -> list[str]:
    wanted = setup.held_out.domains or HELD_OUT.get(setup.source, ())
    available: list[str] = np.unique(domains).tolist()
    if not wanted:
        some = sorted({name.split("/")[0] for name in available})
        raise BadInput(
            "--split domain needs the domains to hold out.",
            got="none",
            expected=f"of: {', '.join(some[:20])}{' …' if len(some) > 20 else ''}",
            fix=f"For example --held-out {some[0]}.",
        )
    names = []
    for name in wanted:
        # An unknown name is refused by the split, which lists those that exist.
        names += [domain for domain in available if domain == name or domain.startswith(f"{name}/")] or [name]
    return names


def _no_rows() -> Positions:
    return np.zeros(0, dtype=np.int64)
