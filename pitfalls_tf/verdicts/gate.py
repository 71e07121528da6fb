"""The release gate: a verdict on file decides whether a model may follow the one that is deployed.

It passes if the model is better than the deployed one in its own worst domain, and not worse on the whole. Inconclusive
does not pass: a model is not shipped on luck.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from monitoring.errors import BadInput
from pitfalls_tf.verdicts.scores import read_scores

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a verdict says about letting `setup` follow `against`; gains and interval are of the worst domain."""

    setup: str
    against: str
    fingerprint: str
    metric: str
    smallest: float
    word: str
    worst_domain: str
    worst_word: str
    gain: float
    low: float
    high: float

    @property
    def refusal(self) -> str | None:
        """Why the model must not be released; None if it may."""
        if self.word == "worse":
            return f"{self.setup} is worse than {self.against} by {self.metric}."
        if self.worst_word == "better":
            return None
        found = "worse than" if self.worst_word == "worse" else "not shown to be better than"
        return (
            f"In its worst domain, {self.worst_domain}, {self.setup} is {found} {self.against}: {self.metric} gains "
            f"{self.gain:+.4f}, interval {self.low:+.4f} to {self.high:+.4f}; more than {self.smallest:g} matters."
        )

    def record(self, *, forced: bool) -> dict[str, Any]:
        """What the bundle's manifest keeps: the verdict, and whether the model was released in spite of it."""
        return {**asdict(self), "passed": self.refusal is None, "refusal": self.refusal, "forced": forced}


def read_gate(path: Path) -> Gate:
    """The gate in a file that ``pitfalls compare --json`` wrote.

    Raises:
        BadInput: there is no such file, or it is no verdict.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        worst = next(one for one in document["domains"] if one["domain"] == document["worst_domain"])
        return Gate(
            setup=str(document["a"]["setup"]),
            against=str(document["b"]["setup"]),
            fingerprint=str(document["a"]["fingerprint"]),
            metric=str(document["metric"]),
            smallest=float(document["smallest"]),
            word=_word(document["verdict"]),
            worst_domain=str(worst["domain"]),
            worst_word=_word(worst["verdict"]),
            gain=float(worst["gain"]),
            low=float(worst["low"]),
            high=float(worst["high"]),
        )
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise BadInput(
            "This is no verdict.",
            got=f"{path}: {type(error).__name__}: {error}",
            expected="what pitfalls compare --json printed",
            fix="pitfalls compare A B --json > verdict.json",
        ) from error


def check_same_model(gate: Gate, source: Path) -> None:
    """Of a runs folder, check that the verdict is about these very runs. A .keras file bears no scores to be known by.

    Raises:
        BadInput: the verdict is about others.
    """
    if source.is_dir():
        scores = read_scores(str(source))
        if scores.fingerprint(gate.metric) != gate.fingerprint:
            raise BadInput(
                "The verdict is about another model.",
                got=f"a verdict on {gate.setup}, and the runs of {scores.setup} in {source}",
                expected="the verdict's A to be the runs that are exported, unchanged since",
                fix=f"pitfalls compare {source} DEPLOYED --metric {gate.metric} --json > verdict.json",
            )


def _word(value: object) -> str:
    if value not in {"better", "worse", "inconclusive"}:
        raise ValueError(f"{value!r} is none of better, worse and inconclusive")
    return str(value)
