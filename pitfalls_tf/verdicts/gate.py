"""The release gate: a verdict file decides whether a model may replace the deployed one.

A model passes if it is better than the deployed one in the domain where the model itself is worst, and not worse
overall. An inconclusive verdict does not pass.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitoring.errors import BadInput
from pitfalls_tf.verdicts.scores import read_scores


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseGate:
    """A verdict on replacing one setup by another."""

    setup: str
    against: str
    fingerprint: str
    metric: str
    smallest: float
    outcome: str
    worst_domain: str
    worst_outcome: str
    gain: float
    low: float
    high: float

    @property
    def refusal(self) -> str | None:
        """Why the model must not be released; None if it may."""
        if self.outcome == "worse":
            return f"{self.setup} is worse than {self.against} by {self.metric}."
        if self.worst_outcome == "better":
            return None
        relation = "worse than" if self.worst_outcome == "worse" else "not shown to be better than"
        return (
            f"In its worst domain, {self.worst_domain}, {self.setup} is {relation} {self.against}: gain in"
            f" {self.metric} {self.gain:+.4f}, 95 % interval {self.low:+.4f} to {self.high:+.4f}; smallest difference"
            f" that matters {self.smallest:g}."
        )

    def record(self, *, forced: bool) -> dict[str, Any]:
        """The entry for the bundle's manifest."""
        return {
            "setup": self.setup,
            "against": self.against,
            "fingerprint": self.fingerprint,
            "metric": self.metric,
            "smallest": self.smallest,
            "word": self.outcome,
            "worst_domain": self.worst_domain,
            "worst_word": self.worst_outcome,
            "gain": self.gain,
            "low": self.low,
            "high": self.high,
            "passed": self.refusal is None,
            "refusal": self.refusal,
            "forced": forced,
        }


def read_gate(path: Path) -> ReleaseGate:
    """Read a verdict that ``pitfalls compare --json`` wrote."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        worst = next(domain for domain in document["domains"] if domain["domain"] == document["worst_domain"])
        return ReleaseGate(
            setup=str(document["a"]["setup"]),
            against=str(document["b"]["setup"]),
            fingerprint=str(document["a"]["fingerprint"]),
            metric=str(document["metric"]),
            smallest=float(document["smallest"]),
            outcome=_check_outcome(document["verdict"]),
            worst_domain=str(worst["domain"]),
            worst_outcome=_check_outcome(worst["verdict"]),
            gain=float(worst["gain"]),
            low=float(worst["low"]),
            high=float(worst["high"]),
        )
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise BadInput(
            "Not a verdict file.",
            got=f"{path}: {type(error).__name__}: {error}",
            expected="the output of pitfalls compare --json",
            fix="pitfalls compare A B --json > verdict.json",
        ) from error


def check_same_model(gate: ReleaseGate, source: Path) -> None:
    """Check that the verdict is about the runs of a folder. A .keras file has no scores to compare, and passes."""
    if source.is_dir():
        scores = read_scores(str(source))
        if scores.fingerprint(gate.metric) != gate.fingerprint:
            raise BadInput(
                "The verdict is about other runs.",
                got=f"a verdict on {gate.setup}, and the runs of {scores.setup} in {source}",
                expected="a verdict whose A is the exported runs, unchanged since",
                fix=f"pitfalls compare {source} DEPLOYED --metric {gate.metric} --json > verdict.json",
            )


def _check_outcome(value: object) -> str:
    if value not in {"better", "worse", "inconclusive"}:
        raise ValueError(f"{value!r} is not one of better, worse, inconclusive")
    return str(value)
