"""``pitfalls monitor fleet``: one budget of pages for all deployments of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import printable, with_output

if TYPE_CHECKING:
    from pathlib import Path

    from monitoring.documents.fleet import FleetDocument, FleetMemberDocument
    from monitoring.jobs.fleet import Ledger
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
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.evidence.fleet import FleetBudget  # noqa: PLC0415 - as above
    from monitoring.jobs.fleet import kept_ledger, ledger  # noqa: PLC0415 - as above
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    config = load_config(config_path)
    parsed = FleetBudget.parse(budget or config.fleet.page or "1 per 90 days")
    with Store.open(config.store.url, make=False) as store:
        kept = budget is None and config.fleet.page is not None
        document = _document(kept_ledger(store, config.fleet.team, parsed) if kept else ledger(store, parsed))
    output.finish(document.plain(), lambda: _show(document))
    return 0


def _document(found: Ledger) -> FleetDocument:
    from monitoring.documents.document import finite  # noqa: PLC0415 - as above
    from monitoring.documents.fleet import (  # noqa: PLC0415 - as above
        FleetDocument,
        FleetMemberDocument,
        FleetPageDocument,
        FleetSpentDocument,
    )

    def called(number: int) -> tuple[str, int]:
        record = found.deployments[number]
        return record.name or record.model, record.version

    def member(number: int, share: float) -> FleetMemberDocument:
        name, version = called(number)
        return FleetMemberDocument(deployment=number, name=name, version=version, share=finite(share))

    def spent(number: int, days: float) -> FleetSpentDocument:
        name, version = called(number)
        pages = sum(number in dict(page.members) for page in found.pages)
        return FleetSpentDocument(deployment=number, name=name, version=version, days=days, pages=pages)

    return FleetDocument(
        budget=str(found.budget),
        threshold=found.budget.threshold,
        until=found.until,
        evidence=finite(found.evidence),
        members=len(found.spent),
        deployments=[member(number, value / found.evidence) for number, value in found.members],
        pages=[
            FleetPageDocument(
                at=page.at, evidence=finite(page.evidence), deployments=[member(*one) for one in page.members]
            )
            for page in found.pages
        ],
        team=found.team or None,
        spent=[spent(number, days) for number, days in found.spent.items()],
    )


def _show(document: FleetDocument) -> None:
    until = "no window is judged yet" if document.until is None else f"until {document.until:%Y-%m-%d %H:%M} UTC"
    kept = "no run keeps to this budget" if document.team is None else f"team {document.team}"
    click.echo(
        printable(
            f"{document.members} deployments ({kept}), {until}: evidence {document.evidence:.3g} of "
            f"{document.threshold:g} ({document.budget})."
        )
    )
    for one in document.deployments[:_LISTED]:
        click.echo(printable(f"  {one.deployment}  {one.name} version {one.version}: {one.share:.0%} of the evidence"))
    days = sum(one.days for one in document.spent)
    click.echo(
        f"Spent: {days:.3g} days, which without harm are {days / document.threshold:.2g} pages; "
        f"{len(document.pages)} pages came."
    )
    for page in document.pages[-_LISTED:]:
        names = ", ".join(f"{one.name} version {one.version} ({one.share:.0%})" for one in page.deployments)
        click.echo(printable(f"Page at {page.at:%Y-%m-%d %H:%M} UTC, evidence {page.evidence:.3g}: {names}"))
