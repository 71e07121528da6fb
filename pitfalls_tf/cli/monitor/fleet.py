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
    "--page", "budget", default="1 per 90 days", metavar="BUDGET", help="the team's budget (default: 1 per 90 days)"
)
@with_output
def command(config_path: Path, budget: str, *, output: Output) -> int:
    """Show one budget of pages for all deployments of the store.

    Adds up the evidence that is stored, from the first window on, with the pages that it would have raised and the
    deployments that they name. Judges, stores and sends nothing.
    """
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.evidence.fleet import FleetBudget  # noqa: PLC0415 - as above
    from monitoring.jobs.fleet import ledger  # noqa: PLC0415 - as above
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    parsed = FleetBudget.parse(budget)
    with Store.open(load_config(config_path).store.url, make=False) as store:
        document = _document(ledger(store, parsed))
    output.finish(document.plain(), lambda: _show(document))
    return 0


def _document(found: Ledger) -> FleetDocument:
    from monitoring.documents.document import finite  # noqa: PLC0415 - as above
    from monitoring.documents.fleet import (  # noqa: PLC0415 - as above
        FleetDocument,
        FleetMemberDocument,
        FleetPageDocument,
    )

    def member(number: int, share: float) -> FleetMemberDocument:
        record = found.deployments[number]
        name = record.name or record.model
        return FleetMemberDocument(deployment=number, name=name, version=record.version, share=finite(share))

    return FleetDocument(
        budget=str(found.budget),
        threshold=found.budget.threshold,
        until=found.until,
        evidence=finite(found.evidence),
        members=len(found.deployments),
        deployments=[member(number, value / found.evidence) for number, value in found.members],
        pages=[
            FleetPageDocument(
                at=page.at, evidence=finite(page.evidence), deployments=[member(*one) for one in page.members]
            )
            for page in found.pages
        ],
    )


def _show(document: FleetDocument) -> None:
    until = "no window is judged yet" if document.until is None else f"until {document.until:%Y-%m-%d %H:%M} UTC"
    click.echo(
        f"{document.members} deployments, {until}: evidence {document.evidence:.3g} of {document.threshold:g} "
        f"({document.budget})."
    )
    for one in document.deployments[:_LISTED]:
        click.echo(printable(f"  {one.deployment}  {one.name} version {one.version}: {one.share:.0%} of the evidence"))
    for page in document.pages[-_LISTED:]:
        names = ", ".join(f"{one.name} version {one.version} ({one.share:.0%})" for one in page.deployments)
        click.echo(printable(f"Page at {page.at:%Y-%m-%d %H:%M} UTC, evidence {page.evidence:.3g}: {names}"))
