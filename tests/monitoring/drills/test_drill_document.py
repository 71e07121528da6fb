"""A drill as JSON."""

from __future__ import annotations

from monitoring.documents.drill import drill_document
from tests.monitoring.drills.conftest import Drilled


def test_a_document_has_every_fault_and_every_replicate(drilled: Drilled) -> None:
    found = drill_document(drilled.record).plain()
    assert (found["name"], found["number"], found["replicates"]) == ("flights", None, 2)
    assert found["replayed"]["kind"] == "traffic"
    assert found["without_fault"] == {"windows": 26, "pages": 0, "notices": drilled.record.false_notices}
    unit = found["faults"][0]
    assert (unit["fault"], unit["outcome"], unit["detected"], unit["median_delay"]) == ("unit", "detected", 2, 1)
    assert unit["runs"][1] == {
        "replicate": 1,
        "column": "temp",
        "level": "page",
        "delay": 1,
        "watch": "schema",
        "slice": "temp",
        "cause": "out of range",
        "named": "temp",
        "named_rightly": True,
        "nearest": None,
    }
    stop = found["faults"][-1]
    assert (stop["fault"], stop["outcome"], stop["runs"][0]["named_rightly"]) == ("labels-stop", "missed", False)
    assert stop["runs"][0]["nearest"].startswith("evidence for a page ")
    assert found["left_out"] == []
