"""Which rows a version gets: by a hash of a salt and a key, before any queue; and whether it got them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

#: A mismatch of the sample ratio is a fact where the evidence against the planned shares reaches 1 in so many.
MISMATCH = 1000

#: Below this share of the rows that were planned, a shadow has not seen enough of the traffic to speak for it.
LEAST_SHARE = 0.95

#: Positions are multiples of 2^-53, which a float holds exactly.
_SPACE = 1 << 53


def position(salt: str, key: str) -> float:
    """Where a key lies in [0, 1): the first 53 bits of SHA-256 of the salt, a zero byte and the key, as a fraction.

    Anyone can compute it, so a client may tell beforehand which version answers a user.

    >>> round(position("flights-43", "user 7"), 4)
    0.9776

    Args:
        key: Whatever rows are assigned by, such as a user's id; with a day, the key, a zero byte and the day.
    """
    return _place(hashlib.sha256(f"{salt}\0{key}".encode()).digest()) / _SPACE


def _place(digest: bytes) -> int:
    """The first 53 bits of a digest."""
    return int.from_bytes(digest[:7], "big") >> 3


def assigned(salt: str, keys: pa.Array | Sequence[str], share: float) -> NDArray[np.bool_]:
    """Whether each key is among the share; those of a smaller share are among those of every larger one.

    >>> assigned("flights-43", ["user 7"], 0.98), assigned("flights-43", ["user 7"], 0.97)
    (array([ True]), array([False]))

    Args:
        keys: As of `position`, [n].
        share: In [0, 1].

    Returns:
        [n]. Cost: about a microsecond a key; of all or none, nothing.
    """
    if share >= 1.0 or share <= 0.0:
        return np.full(len(keys), share >= 1.0)
    words = keys.to_pylist() if isinstance(keys, pa.Array) else keys
    seeded = hashlib.sha256(f"{salt}\0".encode())
    edge, mask = share * _SPACE, np.empty(len(words), dtype=np.bool_)
    for place, word in enumerate(words):
        digest = seeded.copy()
        digest.update(word.encode())
        mask[place] = _place(digest.digest()) < edge
    return mask


def log_ratio_evidence(counts: Sequence[int], shares: Sequence[float]) -> float:
    """The log evidence that units were not assigned by the planned shares; at any look, an e-process.

    A Bayes factor of a Dirichlet prior centred on the shares against them: Lindon & Malek, *Anytime-valid inference for
    multinomial count data* (2022). Counts may be looked at as often as one likes.

    >>> log_ratio_evidence([5050, 4950], [0.5, 0.5]) < 0.0, log_ratio_evidence([5400, 4600], [0.5, 0.5]) > 20.0
    (True, True)

    Args:
        counts: Units that each version got, one of a key however many requests it makes.
        shares: What each was to get, 1 in sum, none 0.

    Returns:
        The log of the Bayes factor; 0 without units.
    """
    evidence = math.lgamma(_PRIOR_UNITS * sum(shares)) - math.lgamma(_PRIOR_UNITS * sum(shares) + sum(counts))
    for count, share in zip(counts, shares, strict=True):
        evidence += (
            math.lgamma(_PRIOR_UNITS * share + count) - math.lgamma(_PRIOR_UNITS * share) - count * math.log(share)
        )
    return evidence


def is_mismatch(counts: Sequence[int], shares: Sequence[float]) -> bool:
    """Whether units were certainly not assigned by the planned shares; arguments as of `log_ratio_evidence`."""
    return log_ratio_evidence(counts, shares) >= math.log(MISMATCH)


#: How many units the prior of a sample ratio is worth: shares within some percent of the planned ones.
_PRIOR_UNITS = 100.0
