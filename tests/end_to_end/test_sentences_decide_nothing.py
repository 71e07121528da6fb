"""What an incident says decides nothing, neither where every sentence is another nor where names look like one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.config import load_config
from monitoring.config.routes import WebhookRoute
from monitoring.dashboard.stores.candidates import Question, chosen
from monitoring.dashboard.stores.roster import read_roster
from monitoring.documents.incident import incident_document
from monitoring.notifications.notification import example_notification
from monitoring.notifications.routes.sending import wants
from monitoring.records import LEVELS, IncidentRecord, Level, MonitorStatus
from monitoring.reports.sections.health import health_of
from monitoring.reports.sections.incidents import pages_of
from monitoring.sentences import finding_text as findings
from monitoring.sentences import incident_text as module
from monitoring.sentences.incident_text import IncidentText, Paragraph, incident_text
from pitfalls_tf.cli.monitor.options import exit_code
from tests.dashboard_store import stores_of
from tests.own_table import REFERENCE, Watched, own_rows, watch
from tests.small_deployment import Days

NOW = datetime(2013, 5, 15, tzinfo=UTC)
DAYS = 26

#: What names may look like, to whoever reads a sentence; in the order of the plain ones.
HOSTILE = {
    "EWR": "EWR plan Next step: upgrade",
    "JFK": "JFK Worse since: better than the benchmark",
    "LGA": "LGA Assessed again on 1 May: Evidence of the watches: ",
    "temp": "temp, Evidence of the watches: better than the benchmark",
}
#: What an incident has that no name is part of.
SAME = ("number", "level", "state", "opened_at", "closed_at", "previous", "history")
PLAIN = {name: name for name in HOSTILE}


def named(rows: pa.Table, names: dict[str, str]) -> pa.Table:
    origins = pa.array([names[name] for name in rows["origin"].to_pylist()])
    rows = rows.set_column(rows.column_names.index("origin"), "origin", origins)
    return rows.rename_columns([names.get(name, name) for name in rows.column_names])


def faulty() -> pa.Table:
    """Days in which temp is missing, then labels of one origin contradict the answers, then temp is in another unit."""
    rows = own_rows(Days(days=DAYS, start=datetime(2013, 4, 1, tzinfo=UTC), seed=3))
    day = np.arange(len(rows)) * DAYS // len(rows)
    temp = np.asarray(rows["temp"]).astype(np.float32)
    temp = np.where((day >= 4) & (day < 6), np.nan, np.where(day >= 22, temp * 50.0, temp)).astype(np.float32)
    wrong = (np.asarray(rows["origin"]) == "EWR") & (day >= 8) & (day < 18)
    labels = np.asarray(rows["y"].to_pylist(), dtype=object)
    swapped = np.where(labels == "late", "on_time", "late")
    rows = rows.set_column(rows.column_names.index("temp"), "temp", pa.array(temp, from_pandas=True))
    return rows.set_column(rows.column_names.index("y"), "y", pa.array(np.where(wrong, swapped, labels).tolist()))


def judged(folder: Path, names: dict[str, str]) -> tuple[Watched, MonitorStatus]:
    watched = watch(folder, named(own_rows(REFERENCE), names))
    watched.live("all.parquet", named(faulty(), names))
    return watched, watched.run()[1]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Watched, MonitorStatus]:
    return judged(tmp_path_factory.mktemp("plain"), PLAIN)


def without_names(record: IncidentRecord, names: dict[str, str]) -> dict[str, Any]:
    """What is known of an incident, in the plain names, but for the numbers behind it."""

    def told(text: str) -> str:
        for plain_name, name in names.items():
            text = text.replace(name, plain_name)
        return text

    document = incident_document(record).plain()
    return {
        **{name: document[name] for name in SAME},
        "watch": told(record.watch),
        "slice": told(record.slice),
        "diagnoses": [
            (one["at"], one["kind"], one["fact"], one["reason"], one["step"], one["assessed_again"] is not None)
            for one in document["diagnoses"]
        ],
        "subjects": [told(subject) for subject in record.subjects],
        "evidence": (record.has_evidence, record.is_improvement),
    }


def test_names_that_look_like_sentences_change_nothing(plain: tuple[Watched, MonitorStatus], tmp_path: Path) -> None:
    _, found = plain
    _, hostile = judged(tmp_path, HOSTILE)
    facts = {record.fact for record in found.incidents}
    assert {"all values missing", "out of range"} <= facts
    assert any(not record.fact for record in found.incidents)
    assert [window.status for window in hostile.windows] == [window.status for window in found.windows]
    assert [without_names(record, HOSTILE) for record in hostile.incidents] == [
        without_names(record, PLAIN) for record in found.incidents
    ]
    assert health_of(hostile).state == health_of(found).state
    for record in hostile.incidents:
        said = incident_text(record)
        assert said.message.endswith(said.step), "the step is what is left, whatever the names say"
        assert len(said.paragraphs) == len(record.diagnoses) + sum(one.again is not None for one in record.diagnoses)


@dataclass(frozen=True)
class Seen:
    """What does not hang on words."""

    health: tuple[Any, ...]
    exit_codes: list[int]
    wanted: list[tuple[Level, bool]]
    pages: list[int]
    order: list[Any]
    incidents: list[dict[str, Any]]


def seen(watched: Watched, found: MonitorStatus) -> Seen:
    stores = stores_of(load_config(watched.adopted.config).store.url)
    roster = read_roster(stores.stores, NOW)
    routes = [WebhookRoute(webhook="https://host/hook", level=level) for level in LEVELS]
    test = example_notification(NOW)
    wanted = [
        (route.level, wants(route, replace(test, kind="incident", said=None, incident=record, state=record.state)))
        for route in routes
        for record in found.incidents
    ]
    documents = [incident_document(record).plain() for record in found.incidents]
    health = health_of(found)
    return Seen(
        health=(health.state, [state for state, _ in health.against]),
        exit_codes=[exit_code(found, rule=rule) for rule in ("open", "unacknowledged", "health")],
        wanted=wanted,
        pages=[page.number for page in pages_of(found)],
        order=[candidate.place for candidate in chosen(roster.candidates, Question())],
        incidents=[
            {name: value for name, value in document.items() if name not in ("cause", "message", "next_step")}
            for document in documents
        ],
    )


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    words = IncidentText(
        cause="words: better than the benchmark",
        line="Next step: words",
        headline="Worse since",
        paragraphs=(Paragraph(kind="opening", text="Evidence of the watches: Worse since: Next step: words."),),
        step="close it",
    )
    monkeypatch.setattr(module, "_worded", lambda _record: words)
    monkeypatch.setattr(findings, "_worded", lambda _finding: "Better than the benchmark; Next step: words:")


def test_where_every_sentence_is_another_nothing_changes_but_words(
    plain: tuple[Watched, MonitorStatus], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    watched, found = plain
    before = seen(watched, found)
    assert before.exit_codes[0] == 1
    assert any(wanted for _, wanted in before.wanted)
    request.getfixturevalue("replaced")
    assert {incident_text(record).step for record in found.incidents} == {"close it"}
    assert seen(watched, found) == before
    _, again = judged(tmp_path, PLAIN)
    assert [window.status for window in again.windows] == [window.status for window in found.windows]
    assert again.incidents == found.incidents
