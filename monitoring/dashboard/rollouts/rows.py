"""The page of rows on which the versions of a rollout disagree."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.dashboard.incident.example_rows import RowsGroup, rows_groups
from monitoring.dashboard.incident.outcomes import NO_CONFIG
from monitoring.dashboard.incident.rows import MOST_INPUTS
from monitoring.dashboard.stores.stores import StoredDeployment, existing
from monitoring.dashboard.view.table import TableView
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.errors import PitfallsError
from monitoring.records import RolloutRecord
from monitoring.rollout.disagreement_rows import DisagreementRows, read_disagreements
from monitoring.watches.descriptions import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class DisagreementsView:
    """Everything that the page shows; `problem` says why there are no rows."""

    address: str
    parent: str
    name: str
    number: int
    title: str
    groups: tuple[RowsGroup, ...]
    problem: tuple[str, ...]
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return tuple(group.table for group in self.groups if group.table is not None)


def read_disagreements_page(deployment: StoredDeployment, number: int, *, whole: bool) -> DisagreementsView:
    """The page of some rows on which two versions disagree, which are read from the traffic.

    Returns:
        The page, with the reason where rows cannot be read.

    Raises:
        BadInput: There is no such rollout of this deployment.
    """
    records = deployment.store.rollouts.latest(deployment.summary.record.called)
    record = existing("rollout", next((one for one in records if one.number == number), None), str(number))
    problem: tuple[str, ...] = ()
    found = None
    if deployment.config is None:
        problem = (NO_CONFIG,)
    elif record.mode == "split":
        problem = ("In a split each row is answered by one version alone.",)
    else:
        try:
            found = read_disagreements(deployment.config, deployment.store, record, deployment.clock)
        except PitfallsError as error:
            problem = tuple(str(error).splitlines())
    return DisagreementsView(
        address=f"{deployment.address}/versions/{number}/rows",
        parent=deployment.address,
        name=printable(name_of(deployment.summary)),
        number=number,
        title=f"Rows on which versions {record.champion} and {record.candidate} disagree",
        groups=() if found is None else _groups(found, record, deployment, None if whole else MOST_INPUTS),
        problem=problem,
        timezone=zone_words(deployment.summary),
    )


def _groups(
    found: DisagreementRows, record: RolloutRecord, deployment: StoredDeployment, most: int | None
) -> tuple[RowsGroup, ...]:
    inputs = [one.name for one in found.spec.features if one.name not in found.texts][:most]
    named = (
        ("worse", f"Version {record.candidate} has the larger loss", found.worse),
        ("better", f"Version {record.candidate} has the smaller loss", found.better),
        ("unlabelled", "No label yet: the largest difference that one could make", found.unlabelled),
    )
    loss = "" if record.result is None else record.result.loss
    return rows_groups(named, found, inputs, deployment.summary.zone, loss)
