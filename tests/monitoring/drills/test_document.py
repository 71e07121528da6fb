"""A drill as JSON."""

from __future__ import annotations

from monitoring.drills.document import drill_document
from tests.monitoring.drills.conftest import Drilled


def test_a_document_has_every_fault_and_every_replicate(drilled: Drilled) -> None:
    found = drill_document(drilled.record)
    assert (found["deployment"], found["drill"], found["replicates"]) == ("flights", None, 2)
    assert found["source"]["of"] == "traffic"
    assert found["without_fault"] == {"windows": 26, "pages": 0, "notices": drilled.record.false_notices}
    unit = found["faults"][0]
    assert (unit["fault"], unit["outcome"], unit["told"], unit["median_delay"]) == ("unit", "told", 2, 1)
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
    }
    stop = found["faults"][-1]
    assert (stop["fault"], stop["outcome"], stop["runs"][0]["named_rightly"]) == ("labels-stop", "missed", False)
    assert found["left_out"] == []
