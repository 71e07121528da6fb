"""How long a verdict takes, before anything runs: by simulating the test that will be made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.records import RolloutVerdict
from monitoring.rollout.evidence.between_days import beyond
from monitoring.rollout.evidence.confidence_sequence import WEIGHTS
from monitoring.rollout.evidence.paired_sums import BETS
from monitoring.rollout.evidence.terms import BETTER, NO_DIFFERENCE, WORSE, Rules

#: Simulated rollouts, and the shares of them by which a verdict has come in a promise.
SIMULATIONS = 400
SHARES = (0.5, 0.9)

#: Windows that are simulated at most.
MAX_WINDOWS = 400


class Rejections(Protocol):
    """Simulated rollouts, and by which window each rejects that the difference lies on one side of a boundary."""

    def above(self, boundary: float) -> NDArray[np.bool_]:
        """By which window it is rejected that it is the boundary or more, [SIMULATIONS, windows]."""

    def below(self, boundary: float) -> NDArray[np.bool_]:
        """By which window it is rejected that it is the boundary or less, [SIMULATIONS, windows]."""


class Stream(Protocol):
    """What is known beforehand of the rows of a measure, or of the units of a split.

    Attributes:
        rows: Rows, or units, in a window, which is a day or longer.
    """

    @property
    def rows(self) -> float:
        """As above."""

    @property
    def labels(self) -> float:
        """As above."""

    def simulated(self, effect: float, rules: Rules, rng: np.random.Generator, windows: int) -> Rejections:
        """Simulate rollouts in which the true difference is `effect`."""


class PlannedGuard(NamedTuple):
    """A guard by its name, the rows that it is measured on, and what it may be worse by."""

    name: str
    stream: Stream
    rules: Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedStream:
    """What is known beforehand of the paired rows of a measure, as a `Stream`.

    Attributes:
        disagreement: The share of them on which the versions may have different losses; it needs no label.
        spread: The root mean square of the difference on such rows, in the measure's own unit.
        days: Standard deviations that windows may have beyond their rows, in the measure's own unit, each as probable;
            none: they are alike.
    """

    rows: float
    disagreement: float
    spread: float = 1.0
    coverage: float = 1.0
    days: tuple[float, ...] = ()

    @property
    def labels(self) -> float:
        """The labels that a window brings for rows that need one."""
        return self.rows * self.disagreement * self.coverage

    def simulated(self, effect: float, rules: Rules, rng: np.random.Generator, windows: int) -> Rejections:
        """See `Stream`: rows on which the versions agree, and rows on which they differ by `spread` either way.

        Each simulated rollout has one of `days`, and each of its windows a normal difference of its own.
        """
        return _PairedRejections(self, effect, rules, rng, windows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """When a verdict comes if the difference is of one size.

    Attributes:
        effect: The true difference, in the measure's own unit; negative is better.
        windows: The windows in which it has come in each of `SHARES` of the simulations; None: not in so many.
    """

    effect: float
    word: RolloutVerdict
    windows: tuple[int | None, ...]
    rows: tuple[int | None, ...]
    labels: tuple[int | None, ...]


def promise(
    stream: Stream,
    effect: float,
    rules: Rules,
    rng: np.random.Generator,
    *,
    guards: Mapping[str, NDArray[np.int64]] = MappingProxyType({}),
    max_windows: int = MAX_WINDOWS,
) -> Promise:
    """When the verdict comes if the true difference is `effect`, and every guard is as good as before.

    >>> stream = PairedStream(rows=1000, disagreement=0.04)
    >>> found = promise(stream, -0.02, Rules(margin=0.005), np.random.default_rng(0))
    >>> found.word, found.windows
    ('better', (22, 33))

    Args:
        guards: By which window each guard has passed, of `guard_windows` with the same `max_windows`.

    Returns:
        The promise. Cost: about a tenth of a second.
    """
    word = BETTER if effect < -rules.margin else WORSE if effect > rules.margin else NO_DIFFERENCE
    times = windows_to_word(stream, effect, word, rules, rng, max_windows=max_windows)
    if word != WORSE:
        times = np.max([times, *guards.values()], axis=0)
    windows = tuple(_by(times, share, max_windows) for share in SHARES)
    return Promise(
        effect=effect,
        word=word,
        windows=windows,
        rows=tuple(None if count is None else round(count * stream.rows) for count in windows),
        labels=tuple(None if count is None else round(count * stream.labels) for count in windows),
    )


def guard_windows(
    guards: Sequence[PlannedGuard], rng: np.random.Generator, *, max_windows: int = MAX_WINDOWS
) -> dict[str, NDArray[np.int64]]:
    """In which window each guard that is as good as before is shown to be not worse.

    Returns:
        Windows from 1 on by the name of the guard, int64 [SIMULATIONS]; one more than `max_windows` where it is not by
        then. Cost: about a tenth of a second for each.
    """
    return {
        guard.name: _first(guard.stream.simulated(0.0, guard.rules, rng, max_windows).above(guard.rules.margin))
        for guard in guards
    }


def last_guard(waits: Mapping[str, NDArray[np.int64]], max_windows: int = MAX_WINDOWS) -> tuple[str | None, int | None]:
    """The guard that passes last, and the window by which nine of ten rollouts have it; None for later ones.

    >>> last_guard({"errors": np.array([2, 3]), "calibration": np.array([5, 9])}, 8)
    ('calibration', None)
    >>> last_guard({})
    (None, None)
    """
    if not waits:
        return None, None
    name = max(waits, key=lambda guard: (float(np.quantile(waits[guard], SHARES[-1])), float(waits[guard].mean())))
    return name, _by(waits[name], SHARES[-1], max_windows)


def _by(times: NDArray[np.int64], share: float, max_windows: int) -> int | None:
    """The window by which a share of the simulations is through; None where it is later than all."""
    end = int(np.quantile(times, share, method="inverted_cdf"))
    return end if end <= max_windows else None


def windows_to_word(
    stream: Stream,
    effect: float,
    word: RolloutVerdict,
    rules: Rules,
    rng: np.random.Generator,
    *,
    max_windows: int = MAX_WINDOWS,
) -> NDArray[np.int64]:
    """In which window each of `SIMULATIONS` rollouts has a verdict; arguments as of `promise`.

    Returns:
        Windows from 1 on, int64 [SIMULATIONS]; one more than `max_windows` where it has not come by then.
    """
    rejects = stream.simulated(effect, rules, rng, max_windows)
    if word == BETTER:
        return _first(rejects.above(-rules.margin))
    if word == WORSE:
        return _first(rejects.below(rules.margin))
    return _first(rejects.above(rules.margin) & rejects.below(-rules.margin))


def _first(rejected: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The first window of each simulation, from 1 on; one more than there are where it has none."""
    return np.asarray(np.where(rejected.any(axis=1), rejected.argmax(axis=1) + 1, rejected.shape[1] + 1))


class _PairedRejections(Rejections):
    """`Rejections` of paired rows."""

    def __init__(
        self, stream: PairedStream, effect: float, rules: Rules, rng: np.random.Generator, windows: int
    ) -> None:
        self._alpha, self._scale = rules.alpha, rules.scale
        step = stream.disagreement * stream.coverage
        size = min(stream.spread / rules.scale, 1.0)
        self._unknown = stream.disagreement * size - step * size if rules.missing == "bounded" else 0.0
        # Labels may be late just where the effect shows: the rows that are known show that much less of it.
        coverage = 1.0 if rules.missing == "bounded" else stream.coverage
        shown = np.sign(effect) * max(abs(effect) / rules.scale * coverage - self._unknown, 0.0)
        if stream.days:
            deviations = np.asarray(stream.days)[np.arange(SIMULATIONS) * len(stream.days) // SIMULATIONS, None]
            shown = shown + deviations / rules.scale * coverage * rng.normal(size=(SIMULATIONS, windows))
        # The share of its rows on which the candidate has the larger loss; an effect that so few rows cannot have, all.
        share = (1.0 + np.clip(shown / max(step * size, 1e-12), -1.0, 1.0)) / 2.0
        self._rows = np.diff(np.floor(stream.rows * np.arange(windows + 1))).astype(np.int64)
        differing = rng.binomial(self._rows, min(step, 1.0), size=(SIMULATIONS, windows))
        self._larger = rng.binomial(differing, share)
        self._smaller, self._size = differing - self._larger, size

    @override
    def above(self, boundary: float) -> NDArray[np.bool_]:
        return self._rejected(self._smaller, self._larger, -boundary / self._scale)

    @override
    def below(self, boundary: float) -> NDArray[np.bool_]:
        return self._rejected(self._larger, self._smaller, boundary / self._scale)

    def _rejected(self, gains: NDArray[np.int64], losses: NDArray[np.int64], towards: float) -> NDArray[np.bool_]:
        evidence = np.zeros(gains.shape)
        towards += self._unknown
        for bet, weight in zip(BETS, WEIGHTS, strict=True):
            won, lost = math.log1p(bet * self._size), math.log1p(-bet * self._size)
            logs = won * gains.cumsum(axis=1) + lost * losses.cumsum(axis=1) - bet * self._rows.cumsum() * towards
            evidence += weight * np.exp(np.minimum(logs, 700.0))
        over_days = beyond(self._size * (gains - losses) - towards * self._rows, self._alpha)
        return (evidence >= 1.0 / self._alpha) & over_days


#: Halvings in which a bound is found: to 2^-16, a hundredth of the usual smallest difference that matters.
_HALVINGS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStream:
    """What is known beforehand of the units of a split, as a `monitoring.rollout.evidence.planning.Stream`.

    Attributes:
        mean: The mean of the champion's measure, in [0, 1].
    """

    rows: float
    share: float
    mean: float
    square: float
    coverage: float = 1.0

    @property
    def labels(self) -> float:
        """See `Stream`: each unit needs one."""
        return self.rows * self.coverage

    def simulated(self, effect: float, rules: Rules, rng: np.random.Generator, windows: int) -> Rejections:
        """See `Stream`: a unit has a loss of 0 or of one size, so that mean and square are these."""
        return _ArmRejections(self, effect, rules, rng, windows)


class _ArmRejections(Rejections):
    """`Rejections` of units of which each was answered by one version."""

    def __init__(self, stream: UnitStream, effect: float, rules: Rules, rng: np.random.Generator, windows: int) -> None:
        self._alpha, self._scale = rules.alpha, rules.scale
        missing = 1.0 - stream.coverage
        self._unknown = 2.0 * missing if rules.missing == "bounded" else 0.0
        size = stream.square / stream.mean if stream.mean > 0.0 else 1.0
        shares = np.clip([stream.mean / size, (stream.mean + effect / rules.scale) / size], 0.0, 1.0)
        parts, bounds = [], []
        for part, share in zip((1.0 - stream.share, stream.share), shares, strict=True):
            judged = 1.0 if rules.missing == "bounded" else stream.coverage
            units = np.diff(np.floor(stream.rows * part * judged * np.arange(windows + 1)))
            hits = rng.binomial(units.astype(np.int64), share * stream.coverage / judged, size=(SIMULATIONS, windows))
            counts, totals = units.cumsum(), hits.cumsum(axis=1)
            bounds.append(
                [_bound(totals, counts, size, rules.alpha / 2.0), -_bound(totals, counts, -size, rules.alpha / 2.0)]
            )
            parts.append(size * hits / np.maximum(units, 1.0))
        (first_low, first_high), (second_low, second_high) = bounds
        self._low, self._high = second_low - first_high, second_high - first_low
        self._differences = parts[1] - parts[0]

    @override
    def above(self, boundary: float) -> NDArray[np.bool_]:
        edge = boundary / self._scale - self._unknown
        return (self._high < edge) & beyond(edge - self._differences, self._alpha)

    @override
    def below(self, boundary: float) -> NDArray[np.bool_]:
        edge = boundary / self._scale + self._unknown
        return (self._low > edge) & beyond(self._differences - edge, self._alpha)


def _bound(hits: NDArray[np.int64], counts: NDArray[np.float64], size: float, alpha: float) -> NDArray[np.float64]:
    """The lower bound of the mean, [n, windows], where of `counts` units `hits` have a value of `size`, others of 0.

    It is computed once for all simulations that have as many hits in a window.
    """
    most = int(hits.max(initial=0)) + 1
    keys, places = np.unique(np.arange(counts.size) * most + hits, return_inverse=True)
    distinct, units = keys % most, counts[keys // most]
    low, high = np.full(keys.size, -1.0), np.full(keys.size, 1.0)
    bets = np.asarray(BETS)
    gains, weights = np.log1p(bets * size), np.log(WEIGHTS)
    limit = math.log(1.0 / alpha)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        evidence = np.full(keys.size, -np.inf)
        for bet, gain, weight in zip(bets, gains, weights, strict=True):
            evidence = np.logaddexp(evidence, weight + gain * distinct - bet * units * middle)
        rejected = evidence >= limit
        low, high = np.where(rejected, middle, low), np.where(rejected, high, middle)
    return low[places].reshape(hits.shape)
