"""``pitfalls monitor fleet``: one budget of pages for all deployments of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from monitoring.config import load_config
from monitoring.deployment.fleet import kept_ledger, ledger
from monitoring.documents.deployment import FleetDocument, FleetMemberDocument, FleetPageDocument, FleetSpentDocument
from monitoring.documents.document import finite
from monitoring.evidence.fleet import FleetBudget
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import printable, with_output

if TYPE_CHECKING:
    from pathlib import Path

    from monitoring.deployment.fleet import Ledger
    from pitfalls_tf.cli.output import Output

#: Deployments that are listed, and pages.
_LISTED = 10


@click.command()
@config_option
@click.option(
    "--page",
    "budget",
    metavar="BUDGET",
    help="what another budget would have paged, such as 1 per 90 days, of all deployments (default: the config's)",
)
@with_output
def command(config_path: Path, budget: str | None, *, output: Output) -> int:
    """Show one budget of pages for all deployments of the store.

    The ledger of the config's team: its evidence, what each deployment took of the budget, and its pages with the
    deployments that they name. With --page, or without a team, what such a budget would have paged by the evidence that
    is stored, from the first window on. Judges, stores and sends nothing.
    """
    config = load_config(config_path)
    parsed = FleetBudget.parse(budget or config.fleet.page or "1 per 90 days")
    with Store.open(config.store.url, make=False) as store:
        keeps_budget = budget is None and config.fleet.page is not None
        document = _document(kept_ledger(store, config.fleet.team, parsed) if keeps_budget else ledger(store, parsed))
    output.finish(document.plain(), lambda: _show(document))
    return 0


def _document(fleet_ledger: Ledger) -> FleetDocument:
    def called(number: int) -> tuple[str, int]:
        record = fleet_ledger.deployments[number]
        return record.name or record.model, record.version

    def member(number: int, share: float) -> FleetMemberDocument:
        name, version = called(number)
        return FleetMemberDocument(deployment=number, name=name, version=version, share=finite(share))

    def spent(number: int, days: float) -> FleetSpentDocument:
        name, version = called(number)
        pages = sum(number in dict(page.members) for page in fleet_ledger.pages)
        return FleetSpentDocument(deployment=number, name=name, version=version, days=days, pages=pages)

    return FleetDocument(
        budget=str(fleet_ledger.budget),
        threshold=fleet_ledger.budget.threshold,
        until=fleet_ledger.until,
        evidence=finite(fleet_ledger.evidence),
        members=len(fleet_ledger.spent),
        deployments=[member(number, value / fleet_ledger.evidence) for number, value in fleet_ledger.members],
        pages=[
            FleetPageDocument(
                at=page.at, evidence=finite(page.evidence), deployments=[member(*pair) for pair in page.members]
            )
            for page in fleet_ledger.pages
        ],
        team=fleet_ledger.team or None,
        spent=[spent(number, days) for number, days in fleet_ledger.spent.items()],
    )


def _show(document: FleetDocument) -> None:
    until = "no window is judged yet" if document.until is None else f"until {document.until:%Y-%m-%d %H:%M} UTC"
    keeper = "no run keeps to this budget" if document.team is None else f"team {document.team}"
    click.echo(
        printable(
            f"{document.members} deployments ({keeper}), {until}: evidence {document.evidence:.3g} of "
            f"{document.threshold:g} ({document.budget})."
        )
    )
    for deployment in document.deployments[:_LISTED]:
        click.echo(
            printable(
                f"  {deployment.deployment}  {deployment.name} version {deployment.version}: {deployment.share:.0%} of "
                "the evidence"
            )
        )
    days = sum(period.days for period in document.spent)
    click.echo(
        f"Spent: {days:.3g} days, which without harm are {days / document.threshold:.2g} pages; "
        f"{len(document.pages)} pages came."
    )
    for page in document.pages[-_LISTED:]:
        names = ", ".join(
            f"{deployment.name} version {deployment.version} ({deployment.share:.0%})"
            for deployment in page.deployments
        )
        click.echo(printable(f"Page at {page.at:%Y-%m-%d %H:%M} UTC, evidence {page.evidence:.3g}: {names}"))
