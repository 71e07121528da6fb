"""The power plan: runs and domains at which each claim is decided, computed before the fresh runs from the first ones.

The plan knows how much estimates vary and not what they are. It asks for a power of .9 at the smallest effect that
matters: if the quantity is that far from a bound, the interval excludes the bound in nine of ten repetitions.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from scipy.special import ndtr, ndtri, stdtrit

from monitoring.errors import BadInput
from pitfalls_tf.experiments import anytime
from pitfalls_tf.experiments.claim import ClaimFinding
from pitfalls_tf.experiments.experiment import Experiment
from pitfalls_tf.experiments.scale import NORMAL_QUANTILE
from pitfalls_tf.experiments.scores_table import first_rows
from pitfalls_tf.training import run_folder as folders

PLAN: Final = "plan.json"
POWER: Final = 0.9
FEWEST_RUNS: Final = 16
LOOKS: Final = 4  # of sequential runs, each with twice the runs of the one before
FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedClaim:
    """What a claim needs on a source.

    Attributes:
        standard_error: of the first runs, on the claim's scale; None where it is unknown.
        runs: number of fresh runs needed at the planned number of domains; None if no number of runs is enough.
        power: at the planned numbers of runs and domains; None where the standard error is unknown.
        rule: the decision rule in words, when the plan was made.
    """

    claim: str
    where: str
    smallest_effect: str
    standard_error: float | None
    runs: int | None
    power: float | None
    rule: str = ""

    @property
    def has_power(self) -> bool:
        """Whether the planned power is enough."""
        return self.power is not None and self.power >= POWER - 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSource:
    """The fresh runs of an experiment on a source.

    Attributes:
        looks: numbers of runs after which the claims are looked at; () without fresh runs. More than one is a
            sequential run, whose intervals hold at every number of runs.
        domains: number of fresh domains; None for those of the first runs.
        planned: when the plan was made, ISO 8601 in UTC.
    """

    source: str
    looks: tuple[int, ...]
    domains: int | None
    claims: tuple[PlannedClaim, ...]
    planned: str = ""

    @property
    def digest(self) -> str:
        """sha256 of runs, domains, rules, powers and date: runs keep it, so that a later change of the plan shows."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def is_sequential(self) -> bool:
        """Whether runs are added until the claims are decided."""
        return len(self.looks) > 1

    @property
    def tuned_for(self) -> int:
        """The number of runs at which the intervals of a sequential run are narrowest, relative to others."""
        return self.looks[-2]

    def without_power(self) -> frozenset[str]:
        """Names of claims that the planned runs would not decide at the smallest effect that matters."""
        return frozenset(claim.claim for claim in self.claims if not claim.has_power)


Plan = dict[str, PlannedSource]  # by source


def make_plan(experiment: Experiment, table: pa.Table) -> Plan:
    """Plan the fresh runs of an experiment."""
    findings = [finding for finding in experiment.findings(first_rows(table)) if finding.rule != "first"]
    return {
        source: _plan_source(experiment, source, [finding for finding in findings if finding.source == source])
        for source in dict.fromkeys(finding.source for finding in findings)
    }


def write_plan(plans: Mapping[str, Plan], into: Path) -> None:
    """Write the plans of experiments to INTO/plan.json."""
    document = {
        "format": FORMAT,
        "power": POWER,
        "experiments": {
            name: {source: asdict(planned) for source, planned in plan.items()} for name, plan in plans.items()
        },
    }
    folders.write_json(into / PLAN, document)


def read_plan(folder: Path) -> dict[str, Plan]:
    """Read the plans of a folder. Returns plans by experiment; none without a file."""
    path = folder / PLAN
    if not path.is_file():
        return {}
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        return {name: plan_from(plan) for name, plan in document["experiments"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "Not a plan of experiments.",
            got=f"{path}: {error}",
            expected="a file that `pitfalls reproduce plan` wrote",
            fix="Delete it, and run `pitfalls reproduce plan` again.",
        ) from error


def plan_from(document: Mapping[str, Any]) -> Plan:
    """The plan of an experiment from JSON values."""
    return {
        source: PlannedSource(
            source=source,
            looks=tuple(planned["looks"]),
            domains=planned["domains"],
            claims=tuple(PlannedClaim(**claim) for claim in planned["claims"]),
            planned=planned.get("planned", ""),
        )
        for source, planned in document.items()
    }


def _plan_source(experiment: Experiment, source: str, findings: Sequence[ClaimFinding]) -> PlannedSource:
    fresh = experiment.fresh
    most = 0 if fresh is None else fresh.most.get(source, 0)
    if fresh is None or not most:
        claims = tuple(_planned(finding, _error(finding, finding.seeds, finding.domains), None) for finding in findings)
        return PlannedSource(source=source, looks=(), domains=None, claims=claims)
    largest = fresh.domains.get(source)
    domains = None if largest is None else _domains(findings, most, largest)
    needed = [_runs(finding, domains) for finding in findings]
    fewest = min(FEWEST_RUNS, most)
    looks: tuple[int, ...] = (max(fewest, *(min(most, _useful_runs(finding, domains, most)) for finding in findings)),)
    if any(runs is not None and runs > most for runs in needed):
        looks = tuple(dict.fromkeys(max(fewest, most >> power) for power in range(LOOKS - 1, -1, -1)))
    widening = 1.0
    if len(looks) > 1:
        widening = anytime.boundary(most, looks[-2]) / float(stdtrit(most - 1, 1 - anytime.ALPHA / 2))
    claims = tuple(
        _planned(finding, _error(finding, looks[-1], domains), runs, widening if finding.by_seeds > 0 else 1.0)
        for finding, runs in zip(findings, needed, strict=True)
    )
    return PlannedSource(source=source, looks=looks, domains=domains, claims=claims)


def _planned(finding: ClaimFinding, error: float, runs: int | None, widening: float = 1.0) -> PlannedClaim:
    has_error = math.isfinite(finding.standard_error)
    power = None
    if math.isfinite(error):
        power = 1.0 if error == 0 else float(ndtr(finding.claim.distance / error - NORMAL_QUANTILE * widening))
    return PlannedClaim(
        claim=finding.claim.name,
        where=finding.where,
        smallest_effect=finding.claim.smallest_effect,
        standard_error=finding.standard_error if has_error else None,
        runs=runs,
        power=power,
        rule=finding.claim.rule,
    )


def _target(finding: ClaimFinding) -> float:
    """The standard error at which the power is reached."""
    return finding.claim.distance / (NORMAL_QUANTILE + float(ndtri(POWER)))


def _error(finding: ClaimFinding, runs: int, domains: int | None) -> float:
    """Standard error at other numbers of runs and domains."""
    of_runs, of_domains = _parts(finding, domains)
    return math.sqrt((of_runs / runs if of_runs else 0.0) + of_domains) if runs or not of_runs else math.nan


def _parts(finding: ClaimFinding, domains: int | None) -> tuple[float, float]:
    """Variance of one run, and variance that runs leave, at a number of domains."""
    square = finding.standard_error**2
    fewer = finding.domains / domains if domains and finding.domains else 1.0
    return finding.by_seeds * square * finding.seeds, (1 - finding.by_seeds) * square * fewer


def _runs(finding: ClaimFinding, domains: int | None) -> int | None:
    """Runs that reach the power; None if no number does."""
    of_runs, of_domains = _parts(finding, domains)
    left = _target(finding) ** 2 - of_domains
    if not math.isfinite(left) or left <= 0:
        return None
    return max(1, math.ceil(of_runs / left))


def _useful_runs(finding: ClaimFinding, domains: int | None, most: int) -> int:
    """Runs that are needed, or beyond which domains are nearly all of the variance."""
    runs = _runs(finding, domains)
    if runs is not None:
        return runs
    of_runs, of_domains = _parts(finding, domains)
    return most if not of_domains > 0 else max(1, math.ceil(4 * of_runs / of_domains))


def _domains(findings: Sequence[ClaimFinding], most: int, largest: int) -> int:
    """The number of domains with the fewest scores, which is runs times domains, that gives all claims their power."""
    of_domains = [finding for finding in findings if finding.domains and math.isfinite(finding.standard_error)]
    if not of_domains:
        return largest
    cost = {}
    for domains in range(min(8, largest), largest + 1):
        runs = [_runs(finding, domains) for finding in of_domains]
        if all(count is not None and count <= most for count in runs):
            cost[domains] = domains * max(count for count in runs if count is not None)
    return min(cost, key=lambda domains: cost[domains], default=largest)
