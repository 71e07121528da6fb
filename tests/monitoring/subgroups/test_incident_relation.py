"""An incident of a loss says how the relation of inputs and label changed since its onset, if no input explains it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from monitoring.config import load_config
from monitoring.documents.incident import incident_document
from monitoring.records import IncidentRecord
from monitoring.runs.run import run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from tests.small_deployment import LIVE, Days


def incidents(deployed: Path, folder: Path, days: int) -> tuple[IncidentRecord, ...]:
    """All incidents after a run on the morning after the last day."""
    config = load_config(deployed / "monitor.toml")
    with Store.open(f"sqlite:///{folder / 'one.db'}") as store:
        run_due_windows(config, store, clock=lambda: LIVE + timedelta(days=days, hours=7))
        (summary,) = store.overview.summaries()
        return store.incidents.read(summary.record.number or 0)


def test_a_page_says_where_labels_differ_from_the_answers_and_that_elsewhere_they_do_not(
    deployed: Path, send: Callable[..., None], tmp_path: Path
) -> None:
    send(deployed, Days(days=8, broken_from=3, broken_at="JFK"))
    page = next(each for each in incidents(deployed, tmp_path, 8) if each.level == "page")
    relation = page.detail.relation
    assert relation is not None
    assert (relation.output, relation.inputs) == ("late", ("origin",))
    assert [str(each) for each in relation.conditions] == ["origin = JFK"]
    assert relation.inside.since.label > 0.6
    assert relation.inside.since.predicted < 0.4
    last = incident_text(page).paragraphs[-1].text
    assert "No input moved since then" in last
    assert "The relation of origin and label changed: where origin = JFK, " in last
    assert last.endswith("all other rows as before.")
    document = incident_document(page).plain()["relation"]
    assert document["conditions"] == [{"input": "origin", "sign": "=", "value": "JFK"}]
    assert document["inside"]["since"]["rows"] == relation.inside.since.rows
