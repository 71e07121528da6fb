from __future__ import annotations

import math

from monitoring.reports import WatchVerdict
from monitoring.reports.verdict_metric import LARGEST, verdict_metadata, verdict_metrics

VERDICTS = (
    WatchVerdict(name="Page level, all watches", evidence=math.inf, threshold=365.0),
    WatchVerdict(name="Error rate </script>", evidence=2.0),
)


def test_evidence_is_finite_and_its_name_holds_no_html() -> None:
    found = verdict_metadata(VERDICTS)
    assert list(found["evidence"].values()) == [LARGEST, 2.0]
    assert list(found["threshold"].values()) == [365.0, None]
    assert not any("<" in name for name in found["evidence"])


def test_only_a_level_has_a_test_and_the_value_is_no_part_of_a_metric() -> None:
    level, alone = verdict_metrics(VERDICTS)
    assert (len(level.tests), len(alone.tests)) == (1, 0)
    assert "365" not in level.watch
    assert "evidence" not in level.dict()
    assert "threshold" not in level.dict()


def test_without_verdicts_there_are_no_metrics() -> None:
    assert verdict_metrics(()) == []
