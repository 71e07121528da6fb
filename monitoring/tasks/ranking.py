"""Ranking and retrieval: a model that answers the k best ids, judged by where the relevant ones stand among them."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.errors import BadInput
from monitoring.records import Watch
from monitoring.tasks.label_scores import LABEL_PREFIX, MAX_COLUMNS, LabelScores, VarietyPart
from monitoring.tasks.row_operations import baseline_ranks, differ, row_maxima
from monitoring.tasks.task import NO_LABEL, Floats, Metric, Task, Whole

if TYPE_CHECKING:
    import pyarrow as pa

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RelevantIds(LabelScores):
    """Of sets of relevant ids: the shares that the baseline's answers do not have, and that are common in them.

    A list that is answered says nothing of which ids are relevant.
    """

    ids: AnsweredIds

    @property
    @override
    def names(self) -> tuple[str, ...]:
        return f"{LABEL_PREFIX}new_ids", f"{LABEL_PREFIX}common_ids"

    @override
    def of_labels(self, labels: Whole) -> dict[str, Floats]:
        codes = np.where(labels == NO_LABEL, 0, labels)
        there = np.maximum((codes > 0).sum(axis=1), 1)
        shares = (each(codes).sum(axis=1) / there for each in (self.ids.new, self.ids.is_common))
        return dict(zip(self.names, shares, strict=True))


def _parts(codes: Whole) -> Whole:
    """The part of each row, [n], by its ids, whatever their order."""
    mixed = codes.astype(np.uint64).sum(axis=1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    parts: Whole = (mixed >> np.uint64(61)).astype(np.int64)
    return parts


METRICS = (
    Metric(name="recall_loss", title="1 \N{MINUS SIGN} recall@k", unit="share"),
    Metric(name="ndcg_loss", title="1 \N{MINUS SIGN} NDCG@k", unit="score"),
    Metric(name="reciprocal_rank_loss", title="1 \N{MINUS SIGN} reciprocal rank", unit="score"),
)

#: A label has at most so many relevant ids, an answer so many places.
MAX_RELEVANT = 32
MAX_PLACES = 100

#: Quantiles of the baseline's largest scores, on which ranks are measured.
KNOTS = 99

#: The watches on the answered ids: the shares of a row's ids that are new and common, and of places without one.
NEW_IDS, COMMON_IDS, EMPTY_PLACES = "prediction:new_ids", "prediction:common_ids", "prediction:empty_places"

#: What precedes an id in the name of the watch on how often it stands first.
FIRST = "prediction:first:"

#: Where there are scores: the watches on the largest one, and on the share of neighbours of which the second has more.
SCORE, OUT_OF_ORDER = "prediction:score", "prediction:out_of_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking(Task):
    """A model that answers up to k ids, best first, with or without a score of each.

    Answers are the codes of ids (`monitoring.tasks.id_codes`), [n, k], 0 where there is none, and after them the
    scores, [n, 2 k], where there are some. Labels are sets of relevant ids, [n, `MAX_RELEVANT`]; no id at all is no
    label. Relevance is binary. With R relevant ids of which those found stand at ranks r ≤ k, an id counted once:

    - recall@k is the share of the R that is found;
    - NDCG@k = Σ 1/log2(1 + r) / Σ_{i ≤ min(R, k)} 1/log2(1 + i): Järvelin & Kekäläinen, *Cumulated gain-based
      evaluation of IR techniques* (2002);
    - the reciprocal rank is 1/r of the first one found, 0 if none is: Voorhees, *The TREC-8 question answering track
      report* (1999).

    Each loss is 1 less that. Scores are not probabilities, so they promise no loss: what to expect is learned from the
    baseline (`monitoring.watches.residuals`).

    >>> task = Ranking(places=3)
    >>> answers, labels = np.array([[7.0, 8.0, 9.0]]), np.array([[9, 5, *[NO_LABEL] * 30]])
    >>> {name: round(float(loss[0]), 3) for name, loss in task.losses(answers, labels).items()}
    {'recall_loss': 0.5, 'ndcg_loss': 0.693, 'reciprocal_rank_loss': 0.667}

    Attributes:
        ids: What is known of the baseline's answered ids; None before it is fitted.
        knots: Quantiles of the baseline's largest scores, in order.
    """

    places: int
    scored: bool = False
    first: tuple[tuple[int, str], ...] = ()
    ids: AnsweredIds | None = None
    knots: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()

    def check(self) -> Ranking:
        """Check how many ids an answer has."""
        if not 1 <= self.places <= MAX_PLACES:
            raise BadInput(
                "These cannot be the answers of a ranking.",
                got=f"up to {self.places} ids in a row",
                expected=f"1 to {MAX_PLACES} ids, best first",
                fix="Keep the first ids of each answer, as many as are shown to people.",
            )
        return self

    @override
    def fitted(self, answers: Floats, labels: Whole | None = None) -> Ranking:
        usable = answers[np.isfinite(answers).all(axis=1)]
        knots: tuple[float, ...] = ()
        if self.scored:
            knots = tuple(np.quantile(self._largest(usable), np.linspace(0, 1, KNOTS + 2)[1:-1]).tolist())
        return replace(self, ids=AnsweredIds.fit(self.read_answers(usable)), knots=knots)

    def document(self) -> dict[str, Any]:
        """The task as JSON, which `of` reads."""
        return {
            "places": self.places,
            "scored": self.scored,
            "first": [list(pair) for pair in self.first],
            "ids": None if self.ids is None else self.ids.document(),
            "knots": list(self.knots),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Ranking:
        """The inverse of `document`; LookupError, TypeError or ValueError if something is missing."""
        return cls(
            places=document["places"],
            scored=document["scored"],
            first=tuple((int(code), str(name)) for code, name in document["first"]),
            ids=None if document["ids"] is None else AnsweredIds.of(document["ids"]),
            knots=tuple(document["knots"]),
        )

    @property
    @override
    def answers_are_hashes(self) -> bool:
        return True

    @property
    def is_made_of_outputs(self) -> bool:
        """See `Task`: of ids and their scores."""
        return True

    @property
    @override
    def width(self) -> int:
        return self.places * (2 if self.scored else 1)

    @property
    def metrics(self) -> tuple[str, ...]:
        """See `Task`; of one place all three are the same."""
        return tuple(metric.name for metric in METRICS[: 1 if self.places == 1 else None])

    @property
    @override
    def scales(self) -> dict[str, float]:
        return dict.fromkeys(self.metrics, 1.0)

    @property
    def output_watches(self) -> tuple[Watch, ...]:
        """See `Task`: new and common ids, empty places, which ids stand first; where scores lie, and their order."""
        scores = (f"{SCORE}:location", f"{SCORE}:spread", OUT_OF_ORDER) if self.scored else ()
        names = (NEW_IDS, COMMON_IDS, EMPTY_PLACES, *(f"{FIRST}{name}" for _, name in self.first), *scores)
        return tuple(
            Watch(name=name, family="outputs", level="notice", needs_label=False, direction="both") for name in names
        )

    def label_codes(self, words: pa.ChunkedArray) -> Whole:
        """See `Task`: an id, or several."""
        from monitoring.tasks.id_codes import id_set_codes  # noqa: PLC0415 - brings Arrow, not needed to report

        return id_set_codes(words, MAX_RELEVANT)

    def read_answers(self, answers: Floats) -> NDArray[Any]:
        """See `Task`: the codes of the ids, int64 [n, k], 0 where there is none."""
        return np.asarray(answers[:, : self.places], dtype=np.int64)

    def read_labels(self, labels: Whole) -> NDArray[Any]:
        """See `Task`: the codes of the relevant ids, int64 [n, `MAX_RELEVANT`], `NO_LABEL` where there are fewer."""
        return labels

    @override
    def losses(self, answers: Floats, labels: Whole) -> dict[str, Floats]:
        recalled, gained, best, relevant = (np.zeros(len(answers)) for _ in range(4))
        gains = 1.0 / np.log2(np.arange(2, self.places + 2))
        ids = answers[:, : self.places]
        for column in labels.T:
            there = column != NO_LABEL
            if not there.any():
                break  # ids of a label come first, so no later column has one
            relevant += there
            hits = (ids == column[:, None]) & there[:, None]
            hit, place = hits.any(axis=1), hits.argmax(axis=1)
            recalled += hit
            gained += np.where(hit, gains[place], 0.0)
            np.maximum(best, np.where(hit, 1.0 / (place + 1.0), 0.0), out=best)
        ideal = np.append(0.0, np.cumsum(gains))[np.minimum(relevant, self.places).astype(np.int64)]
        values = (recalled / relevant, gained / ideal, best)
        return {
            metric.name: np.clip(1.0 - value, 0.0, 1.0)
            for metric, value in zip(METRICS, values, strict=True)
            if metric.name in self.metrics
        }

    @override
    def label_scores(self, labels: Whole) -> tuple[LabelScores, ...]:
        return () if self.ids is None else (RelevantIds(ids=self.ids),)

    def varied_parts(self, answers: Floats) -> tuple[VarietyPart, ...]:
        """See `Task`: the first ids, which have no order."""
        return (VarietyPart(name="", columns=tuple(range(min(self.places, MAX_COLUMNS))), scores=()),)

    def largest_differences(self, loss: str, a: Floats, b: Floats) -> Floats:
        """See `Task`: of answers whose ids differ, whatever their scores."""
        return differ(a[:, : self.places], b[:, : self.places])

    @override
    def outputs(self, answers: Floats) -> dict[str, Floats]:
        codes = self.read_answers(answers)
        there = np.maximum((codes > 0).sum(axis=1), 1)
        scores = {NEW_IDS: np.zeros(len(codes)), COMMON_IDS: np.zeros(len(codes))}
        if self.ids is not None:
            scores = {
                NEW_IDS: self.ids.new(codes).sum(axis=1) / there,
                COMMON_IDS: self.ids.is_common(codes).sum(axis=1) / there,
            }
        scores[EMPTY_PLACES] = (codes == 0).mean(axis=1)
        scores |= {f"{FIRST}{name}": (codes[:, 0] == code).astype(np.float64) for code, name in self.first}
        if self.scored:
            ranks = baseline_ranks(self._largest(answers), self.knots)
            scores |= {f"{SCORE}:location": ranks, f"{SCORE}:spread": np.abs(2.0 * ranks - 1.0)}
            both = (codes[:, 1:] > 0) & (codes[:, :-1] > 0)
            rising = both & (np.diff(answers[:, self.places :], axis=1) > 0.0)
            scores[OUT_OF_ORDER] = rising.sum(axis=1) / np.maximum(both.sum(axis=1), 1)
        return scores

    def score(self, answers: Floats, outputs: Mapping[str, Floats] | None = None) -> Floats:
        """See `Task`: the rank of the largest score among the baseline's; without scores the share of common ids."""
        scores = self.outputs(answers) if outputs is None else outputs
        return scores[f"{SCORE}:location" if self.scored else COMMON_IDS]

    def _largest(self, answers: Floats) -> Floats:
        """The largest score of each row, wherever it stands: a list in the wrong order is no harder to rank."""
        there = answers[:, : self.places] > 0
        return row_maxima(np.where(there, answers[:, self.places :], -np.inf))
