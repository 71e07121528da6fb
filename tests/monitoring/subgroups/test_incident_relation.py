"""An incident of a loss says how the relation of inputs and label changed since its onset, if no input explains it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.special import expit

from monitoring.config import load_config
from monitoring.documents.incident import incident_document
from monitoring.records import IncidentRecord
from monitoring.runs.run import run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.sentences.relation_text import relation_sentence
from monitoring.store.store import Store
from monitoring.subgroups.incident_relation import _largest
from monitoring.subgroups.relation import LabelledSide
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


def test_labels_that_are_wrong_in_either_direction_in_one_place_are_found_by_errors() -> None:
    rng = np.random.default_rng(4)
    sides = []
    for count, flipped in ((6_000, 0.0), (2_000, 0.5)):
        chance = expit(rng.normal(0.0, 1.5, count))
        branch = pa.array(rng.choice(["web", "shop", "phone"], count).tolist()).dictionary_encode()
        label = rng.random(count) < chance
        shop = np.asarray(branch.to_pylist()) == "shop"
        label ^= shop & (rng.random(count) < flipped)
        window = np.arange(count) // 300
        sides.append(
            LabelledSide(
                inputs={"branch": branch, "age": rng.normal(size=count)},
                predicted=chance,
                label=label.astype(np.float64),
                window=window,
            )
        )
    before, since = ({"1": side} for side in sides)
    found = _largest(before, since)
    assert found is not None
    assert found.of_errors
    assert [str(each) for each in found.conditions] == ["branch = shop"]
    assert "answers are wrong where the model says" in relation_sentence(found)
    assert _largest(before, before) is None
