"""Faults that reviewers of models and of the statistics planted, in the table of two classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from benchmarks.words.faults import Fault, Plant, changed, each, flipped, lost, some


def _with_score(rows: pd.DataFrame, steepness: float = -1.2) -> pd.DataFrame:
    """The rows with what the model answers to their inputs."""
    effect = rows["branch"].map({"web": 0.8, "shop": 0.0, "phone": -0.8, "agent": 0.3})
    odds = 0.06 * (rows["age"] - 49) + steepness * (np.log(rows["income"]) - 8.0) + 0.25 * (rows["visits"] - 3) + effect
    return rows.assign(score=expit(odds))


def _cents(rows: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
    """Income is in cents, and the model answers to that: nearly always that it is no 1."""
    return _with_score(rows.assign(income=rows["income"] * 100.0))


def _on_logits(change: float, factor: float = 1.0) -> Plant:
    return changed("score", lambda old, _: expit(factor * logit(old.astype(float)) + change))


def _better(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Two fifths of what the model had wrong are right."""
    answer = (rows["score"] > 0.5).astype(int)
    return rows.assign(label=np.where((rows["label"] != answer) & (rng.random(len(rows)) < 0.4), answer, rows["label"]))


def _reversed_mix(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Fewer rows are hard, and in all of them the model is worse by ten points."""
    kept = rows[(np.abs(rows["score"] - 0.5) > 0.25) | (rng.random(len(rows)) < 0.3)].reset_index(drop=True)
    return flipped(kept, rng, 0.1)


def _together(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Each input as before, but the older have the higher incomes: the rows are harder, and the model is as right."""
    order = np.argsort(rows["age"].to_numpy() + rng.normal(0.0, 6.0, len(rows)))
    income = np.empty(len(rows))
    income[order] = np.sort(rows["income"].to_numpy())
    harder = _with_score(rows.assign(income=income))
    return harder.assign(label=(rng.random(len(rows)) < harder["score"]).astype(int))


def _no_rank(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Half of the rows have the score of another row."""
    hit = rng.random(len(rows)) < 0.5
    return rows.assign(score=np.where(hit, rng.permutation(rows["score"].to_numpy()), rows["score"]))


LATER = (
    Fault(title="income in cents, and the model answers to it", plant=_cents, names=("income",)),
    Fault(
        title="labels flipped on each third day",
        plant=each(3, lambda rows, rng: flipped(rows, rng, 0.3)),
        names=("error rate|brier",),
    ),
    Fault(title="half of the scores of other rows", plant=_no_rank, names=("error rate|brier|answers",)),
    Fault(title="scores flattened", plant=_on_logits(0.0, 0.5), names=("sure|confiden",)),
    Fault(title="scores twice as sure", plant=_on_logits(0.0, 2.0), names=("sure|confiden",)),
    Fault(title="scores 0.8 logits higher", plant=_on_logits(0.8), names=("less frequent|probabilit",)),
    Fault(title="two fifths of the errors gone", plant=_better, names=("better|not sure enough",)),
    Fault(
        title="labels are copies of the answers",
        plant=lambda rows, _: rows.assign(label=(rows["score"] > 0.5).astype(int)),
        names=("better|not sure enough",),
    ),
    Fault(
        title="easier rows, each ten points worse",
        plant=_reversed_mix,
        names=("overconfident|too sure|error rate|brier",),
    ),
    Fault(
        title="harder rows by inputs that go together", plant=_together, names=("harder|together|confidence|expected",)
    ),
    Fault(
        title="no labels where the score is 0.5 or more",
        plant=lambda rows, _: lost(rows, "score >= 0.5"),
        names=("label",),
    ),
    Fault(
        title="age is 58 where branch = shop",
        plant=changed("age", lambda old, _: [58] * len(old), "branch == 'shop'"),
        names=("age", "58", "shop"),
    ),
    Fault(
        title="60 % of region moon where branch = shop",
        plant=changed("region", some(0.6, "moon"), "branch == 'shop'"),
        names=("region", "moon", "shop"),
    ),
)
