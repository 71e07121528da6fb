from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monitoring.config import MonitorConfig
from monitoring.config.rule_section import RuleSection
from monitoring.inspection.incident_rows import IncidentRows, read_incident_rows
from monitoring.records import FACT_WATCH, IncidentRecord
from tests.described_deployment import DAY, FIRST, WORDS, incident, make, rows
from tests.incident_words import worded

FILES = (b"\x89PNG\r\n\x1a\n one", b"GIF89a two", b"\xff\xd8\xff three", b"no image")


def read(config: MonitorConfig, *worst: int) -> IncidentRows:
    return read_incident_rows(config, 1, incident(worst or (95, 92)), lambda: FIRST + 10 * DAY)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> IncidentRows:
    return read(make(tmp_path_factory.mktemp("described")))


def test_the_worst_rows_come_first_with_their_texts_images_and_labels(found: IncidentRows) -> None:
    table = rows()
    assert found.worst.rows.ids.to_pylist() == ["p095:0", "p092:0"]
    assert found.worst.scores == (0.9, 0.8)
    assert found.worst.rows.features["comment"].to_pylist() == [WORDS[95 % 4], WORDS[92 % 4]]
    photo = np.array(found.worst.rows.features["photo"][0].as_py()).ravel()
    assert np.allclose(photo, table["photo"][95].as_py(), atol=1e-6)
    classes = found.spec.classes
    assert [classes[code] for code in found.worst.rows.labels] == [table["label"][place].as_py() for place in (95, 92)]


def test_typical_rows_are_of_the_window(found: IncidentRows) -> None:
    assert len(found.typical.rows) == 6
    assert set(found.typical.rows.ids.to_pylist()) <= {f"p{place:03d}:0" for place in range(90, 120)}


def test_texts_and_images_of_the_baseline_are_live_rows_of_its_time(found: IncidentRows) -> None:
    assert set(found.baseline.rows.ids.to_pylist()) <= {f"p{place:03d}:0" for place in range(30, 60)}
    assert found.baseline.note.startswith("A baseline does not keep comment, photo: these are rows of the traffic of")
    assert None not in found.baseline.rows.features["comment"].to_pylist()


def test_without_live_rows_of_its_time_the_baseline_has_what_it_keeps(tmp_path: Path) -> None:
    found = read(make(tmp_path, kept_days=1))
    assert found.baseline.note == (
        "A baseline does not keep comment, photo, and the traffic has no row of its time or of before the incident."
    )
    assert len(found.baseline.rows) == 6
    assert "photo" not in found.baseline.rows.features.column_names
    assert np.isfinite(np.asarray(found.baseline.rows.features["weight"])).all()


def test_redacted_columns_stay_so_and_rows_that_are_gone_are_counted(tmp_path: Path) -> None:
    found = read(make(tmp_path, dropped=("comment",), kept_days=1), 95, 10)
    assert set(found.worst.rows.features["comment"].to_pylist()) == {None}
    assert dict(found.worst.rows.problems)["comment"] == "absent"
    assert found.worst.note == "1 of 2 are not in the traffic now."
    assert "photo" in found.worst.rows.features.column_names


def test_images_that_are_files_come_with_their_rows(tmp_path: Path) -> None:
    found = read(make(tmp_path, files=FILES, kept_days=2))
    assert found.worst.files == {"photo": (FILES[95 % 4], FILES[92 % 4])}
    places = [int(one[1:4]) for one in found.typical.rows.ids.to_pylist()]
    assert found.typical.files == {"photo": tuple(FILES[place % 4] for place in places)}
    assert not {one for one in found.typical.rows.features.column_names if one.startswith("photo")}
    assert found.baseline.note.endswith("to 2013-03-04 00:00 UTC, the first window of the traffic.")
    assert set(found.baseline.files["photo"]) <= set(FILES)


def test_rows_that_break_a_rule_are_those_of_its_incident(tmp_path: Path) -> None:
    config = make(tmp_path)
    rule = RuleSection(name="two ids", expression="prediction_id != 'p095:0' and prediction_id != 'p092:0'")
    config = config.model_copy(update={"rule": (rule,)})

    def of_rule(name: str) -> IncidentRecord:
        diagnoses = worded("rule broken", watch=FACT_WATCH, slice_=f"rule {name}")
        return replace(incident(()), watch=FACT_WATCH, slice=f"rule {name}", diagnoses=diagnoses)

    found = read_incident_rows(config, 1, of_rule("two ids"), lambda: FIRST + 10 * DAY).worst
    assert found.note == "They break the rule two ids."
    assert sorted(found.rows.ids.to_pylist()) == ["p092:0", "p095:0"]
    without = read_incident_rows(config, 1, of_rule("other"), lambda: FIRST + 10 * DAY).worst
    assert (len(without.rows), without.note.partition(":")[0]) == (0, "It is judged over the whole window")
