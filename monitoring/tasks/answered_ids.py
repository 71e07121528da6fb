"""Which ids a baseline's answers have, and which of them are common, each row judged by the rows of other parts."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.tasks.task import Whole

#: Codes that are told apart: ids whose codes are equal in their last bits count as one.
BUCKETS = 1 << 18

#: Parts of the baseline: a bucket has a bit for each.
PARTS = 8

#: The commonest ids that have this share of all answered ones are common.
COMMON_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredIds:
    """What is known of the ids of a baseline's answers.

    A row's own ids make none of them known or common to itself: rows are drawn into `PARTS` parts by their ids, and a
    row is judged by the rows of the other parts, in the baseline and live alike. So rows that are independent have
    scores of one distribution in both, however long the tail of rare ids.

    Attributes:
        present: uint8 [BUCKETS] as bytes: bit p is set where a row of part p has such an id.
        common: uint8 [BUCKETS] as bytes: bit p is set where such an id is common among the rows of the other parts.

    >>> codes = np.arange(1, 801).reshape(-1, 2)
    >>> known = AnsweredIds.fit(np.concatenate([codes, codes[:, ::-1] * [1, 0] + [[0, 7]] * len(codes)]))
    >>> known.new(np.array([[7, 900_001]])).tolist(), known.is_common(np.array([[7, 900_001]])).tolist()
    ([[False, True]], [[True, False]])
    """

    present: bytes
    common: bytes

    @classmethod
    def fit(cls, codes: Whole) -> AnsweredIds:
        """From the ids of a baseline's answers, [n, places], 0 for none. Cost: eight counts for each bucket."""
        parts = _parts(codes)
        counts = np.zeros((PARTS, BUCKETS), dtype=np.int64)
        for part in range(PARTS):
            inside = codes[parts == part].ravel()
            counts[part] = np.bincount(inside[inside > 0] % BUCKETS, minlength=BUCKETS)
        bits = (1 << np.arange(PARTS)).astype(np.uint8)
        present = ((counts > 0) * bits[:, None]).sum(axis=0, dtype=np.uint8)
        common = np.zeros(BUCKETS, dtype=np.uint8)
        for part in range(PARTS):
            others = counts.sum(axis=0) - counts[part]
            order = np.argsort(-others, kind="stable")
            enough = int(np.searchsorted(np.cumsum(others[order]), COMMON_SHARE * others.sum())) + 1
            common[order[:enough]] |= bits[part]
        return cls(present=present.tobytes(), common=common.tobytes())

    def new(self, codes: Whole) -> NDArray[np.bool_]:
        """Which ids, [n, places], no row of another part of the baseline has; false where there is none."""
        others = ~(np.uint8(1) << _parts(codes).astype(np.uint8))
        present_elsewhere = self._of(self.present, codes) & others[:, None]
        return np.asarray((codes > 0) & (present_elsewhere == 0), dtype=np.bool_)

    def is_common(self, codes: Whole) -> NDArray[np.bool_]:
        """Which ids, [n, places], are common among the rows of the other parts; false where there is none."""
        part_bit = np.uint8(1) << _parts(codes).astype(np.uint8)
        return np.asarray((codes > 0) & ((self._of(self.common, codes) & part_bit[:, None]) != 0), dtype=np.bool_)

    def document(self) -> dict[str, str]:
        """The ids as JSON has them, which `of` reads."""
        return {
            name: base64.b64encode(zlib.compress(states, 9)).decode()
            for name, states in (("present", self.present), ("common", self.common))
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> AnsweredIds:
        """The inverse of `document`. Raises ValueError for another number of buckets, LookupError without them."""
        present, common = (zlib.decompress(base64.b64decode(document[name])) for name in ("present", "common"))
        if len(present) != BUCKETS or len(common) != BUCKETS:
            raise ValueError(f"{len(present)} and {len(common)} buckets of ids")
        return cls(present=present, common=common)

    @staticmethod
    def _of(states: bytes, codes: Whole) -> NDArray[np.uint8]:
        bits: NDArray[np.uint8] = np.frombuffer(states, dtype=np.uint8)[codes % BUCKETS]
        return bits


def _parts(codes: Whole) -> Whole:
    """The part of each row, [n], by its ids, whatever their order."""
    mixed = codes.astype(np.uint64).sum(axis=1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    parts: Whole = (mixed >> np.uint64(61)).astype(np.int64)
    return parts
