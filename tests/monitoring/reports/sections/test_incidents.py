from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring.records import MonitorStatus
from monitoring.reports.sections.incidents import cause_line, pages_of


@pytest.mark.parametrize(
    ("watch", "part", "cause", "line"),
    [
        (
            "brier",
            "",
            "the model is overconfident (surprise +0.1)",
            "Brier score: the model is overconfident (surprise +0.1)",
        ),
        ("error", "origin=EWR", "the traffic is harder", "Error rate at origin = EWR: the traffic is harder"),
        (
            "missing:z",
            "",
            "missing values of z rose from 0.0 % to 19.0 %",
            "Missing values of z rose from 0.0 % to 19.0 %",
        ),
        ("joint", "", "embedding drift rose from 0.500 to 0.800", "Embedding drift rose from 0.500 to 0.800"),
        ("schema", "speed, temp", "column gone", "Column gone: speed, temp"),
        ("brier", "origin=EWR", "", "Brier score at origin = EWR"),
        ("brier", "", "odd\x1b[31m.", "Brier score: odd\ufffd[31m"),
    ],
)
def test_an_incident_is_one_line_that_names_its_watch_once(
    status: MonitorStatus, watch: str, part: str, cause: str, line: str
) -> None:
    assert cause_line(replace(status.incidents[0], watch=watch, slice=part, cause=cause)) == line


def test_pages_are_in_the_order_of_their_windows(status: MonitorStatus) -> None:
    turned = replace(status, incidents=status.incidents[::-1])
    assert [page.number for page in pages_of(turned)] == [1, 3]
