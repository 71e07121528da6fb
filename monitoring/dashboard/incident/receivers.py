"""Where an incident is found in the systems that its config notifies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from monitoring.config.routes import AlertmanagerRoute, PagerDutyRoute, RouteSection
from monitoring.documents.deployment import deployment_document
from monitoring.notifications.notification import Notification, link_of
from monitoring.records import IncidentRecord
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.descriptions import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """One of these systems: its route, the address of the incident there or empty, and by what it is found."""

    route: str
    href: str
    words: str


def receivers(
    routes: Sequence[RouteSection], incident: IncidentRecord, summary: DeploymentSummary
) -> tuple[Receiver, ...]:
    """The systems that keep incidents of their own.

    Returns:
        Each route with an `incident_url`; Alertmanager with the address of the alert, PagerDuty with the alert's key,
        as its answer names no address.
    """
    found = []
    for route in routes:
        key, words, href = _key(incident, summary), "", ""
        if isinstance(route, AlertmanagerRoute):
            href, words = _alert(route.url, incident, summary), f"incident={incident.number}"
        elif isinstance(route, PagerDutyRoute):
            words = f"alert key {key}"
        if route.incident_url is not None:
            numbered = link_of(route.incident_url, deployment=summary.number, incident=incident.number)
            href = str(numbered).replace("{key}", key)
        if words or href:
            found.append(Receiver(route=printable(route.shown), href=href, words=words))
    return tuple(found)


def _alert(url: str, incident: IncidentRecord, summary: DeploymentSummary) -> str:
    """The address of an alert in Alertmanager's own pages."""
    labels = {"alertname": "ModelIncident", "deployment_id": str(summary.number), "incident": str(incident.number)}
    matchers = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{url}/#/alerts?silenced=true&inhibited=true&filter={quote('{' + matchers + '}')}"


def _key(incident: IncidentRecord, summary: DeploymentSummary) -> str:
    deployment = deployment_document(summary.record, summary.number)
    return Notification(event="", state=incident.state, incident=incident, deployment=deployment).key
