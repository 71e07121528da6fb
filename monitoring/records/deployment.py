"""What is stored of a deployment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from monitoring.records.status import MetricCode, Rebaseline


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierDigest:
    """A digest that a deployment may have had before.

    Attributes:
        evidence_goes_on: Whether its evidence is that of the same method; otherwise it begins anew.
    """

    digest: str
    evidence_goes_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecord:
    """One version of a model under one set of settings, whose evidence belongs together.

    Attributes:
        name: The deployment's name; empty: the model's.
        traffic: Where its traffic is, as text; empty where the config does not say.
        basis: A digest of the settings and the baseline without the method; empty where it is not known.
        earlier: Digests under which the same deployment may be in the store, the likeliest first.
        since: Windows that begin before that time are not judged against its baseline; None: all are.
        rebaseline: How its baseline was made from its own traffic; None: it was not.
    """

    model: str
    version: int
    settings_digest: str
    created_at: datetime
    timezone: str
    page_budget: str
    page_threshold: float
    notice_budget: str
    notice_threshold: float
    name: str = ""
    traffic: str = ""
    number: int | None = field(default=None, compare=False)
    follows: int | None = None
    basis: str = field(default="", compare=False)
    earlier: tuple[EarlierDigest, ...] = field(default=(), compare=False)
    since: datetime | None = None
    rebaseline: Rebaseline | None = field(default=None, compare=False)
    metrics: tuple[MetricCode, ...] = ()

    @property
    def called(self) -> str:
        """The deployment's name."""
        return self.name or self.model
