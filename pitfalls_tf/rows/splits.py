"""Which rows are trained on and which are held out: at random, in blocks of days, by time, or by domain.

A metric depends on its split, so a split has a name and a description. A random split is too optimistic where rows of
one day or one site resemble each other; it is here to show by how much.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from monitoring.errors import BadInput
from pitfalls_tf.rows.folds import Folds, assign_folds, blocks_of

Positions = NDArray[np.int64]

SplitKind = Literal["random", "blocked", "time", "domain", "folds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Positions of rows, ascending and without overlap; a row may be in neither. `described` is the split in words."""

    kind: SplitKind
    described: str
    training: Positions
    held_out: Positions


def random_split(rows: int, *, share: float, seed: int) -> Split:
    """Hold out a share of the rows at random, to the nearest row.

    Args:
        share: of them that is held out, between 0 and 1.

    >>> split = random_split(10, share=0.2, seed=0)
    >>> len(split.training), len(split.held_out), split.described
    (8, 2, '20 % of rows at random, seed 0')
    """
    _check_share(share)
    held_out = np.zeros(rows, dtype=np.bool_)
    held_out[np.random.default_rng(seed).permutation(rows)[: round(share * rows)]] = True
    return _split("random", f"{share:.0%} of rows at random, seed {seed}".replace("%", " %"), ~held_out, held_out)


def blocked_split(days: NDArray[np.datetime64], *, block_days: int, share: float, seed: int) -> Split:
    """Hold out a share of the blocks of consecutive days, to the nearest block that has rows.

    Args:
        days: datetime64[D], shape [rows].
        share: of the blocks that is held out, between 0 and 1.
    """
    _check_share(share)
    _check_times(days)
    if block_days < 1:
        raise BadInput(
            "A block needs at least one day.",
            got=f"{block_days} days",
            expected="at least 1",
            fix="For example block_days=3.",
        )
    blocks = blocks_of(days, block_days)
    occupied = np.unique(blocks)
    chosen = np.random.default_rng(seed).permutation(occupied)[: round(share * len(occupied))]
    held_out = np.isin(blocks, chosen)
    described = f"{share:.0%} of blocks of {block_days} days, seed {seed}".replace("%", " %", 1)
    return _split("blocked", described, ~held_out, held_out)


def time_split(times: NDArray[np.datetime64], *, at: datetime, until: datetime | None = None) -> Split:
    """Train before a moment, hold out from then on.

    Args:
        times: datetime64[us] in UTC, shape [rows].
        until: the end of what is held out; None for all that follows.
    """
    _check_times(times)
    start, end = _utc(at), None if until is None else _utc(until)
    held_out = (times >= start) if end is None else (times >= start) & (times < end)
    described = f"trained before {at.isoformat()}, held out from then on"
    if until is not None:
        described += f" until {until.isoformat()}"
    return _split("time", described, times < start, held_out)


def domain_split(
    domains: NDArray[np.str_], *, held_out: Collection[str], training: Collection[str] | None = None
) -> Split:
    """Hold out whole domains.

    Args:
        domains: str, shape [rows].
        training: the domains trained on; None for all others.
    """
    available = set(np.unique(domains).tolist())
    chosen = sorted(available - set(held_out)) if training is None else sorted(training)
    absent = sorted({*held_out, *chosen} - available)
    if absent:
        raise BadInput(
            "No row is of that domain.",
            got=", ".join(absent),
            expected=f"of: {', '.join(sorted(available)[:20])}{' …' if len(available) > 20 else ''}",
            fix="Choose among those.",
        )
    both = sorted(set(chosen) & set(held_out))
    if both:
        raise BadInput(
            "A domain cannot be trained on and held out.",
            got=", ".join(both),
            expected="different domains",
            fix="Leave it out on one side.",
        )
    described = f"trained on {_listed(chosen)}, held out {_listed(sorted(held_out))}"
    return _split("domain", described, np.isin(domains, chosen), np.isin(domains, sorted(held_out)))


def fold_splits(days: NDArray[np.datetime64], folds: Folds) -> tuple[Split, ...]:
    """One split per fold: its blocks of days are held out, and all others are trained on.

    Args:
        days: datetime64[D], shape [rows].
    """
    _check_times(days)
    fold = assign_folds(days, folds)
    described = f"{folds.count} folds of blocks of {folds.block_days} days, seed {folds.seed}"
    return tuple(_split("folds", described, fold != number, fold == number) for number in range(folds.count))


def _split(kind: SplitKind, described: str, training: NDArray[np.bool_], held_out: NDArray[np.bool_]) -> Split:
    if not training.any() or not held_out.any():
        raise BadInput(
            "The split leaves one side empty.",
            got=f"{int(training.sum())} rows to train on and {int(held_out.sum())} held out ({described})",
            expected="rows on both sides",
            fix="Choose another share, moment or domain.",
        )
    return Split(kind=kind, described=described, training=np.flatnonzero(training), held_out=np.flatnonzero(held_out))


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{len(names)} domains"


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise BadInput(
            "The share must be between 0 and 1.", got=f"{share}", expected="such as 0.2", fix="Pass share=0.2."
        )


def _check_times(times: NDArray[np.datetime64]) -> None:
    missing = int(np.isnat(times).sum())
    if missing:
        raise BadInput(
            "Rows without a time cannot be split by it.",
            got=f"{missing} of {len(times)} rows without",
            expected="a time for every row",
            fix="Split at random or by domain.",
        )


def _utc(moment: datetime) -> np.datetime64:
    if moment.tzinfo is None:
        raise BadInput(
            "A time without a time zone cannot be compared.",
            got=moment.isoformat(),
            expected="an aware datetime",
            fix="Add tzinfo=UTC.",
        )
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")
