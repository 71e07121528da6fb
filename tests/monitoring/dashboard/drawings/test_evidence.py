from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from monitoring.dashboard.drawings.evidence import evidence_drawing
from monitoring.dashboard.drawings.series import WIDE
from monitoring.dashboard.history import DeploymentHistory

ZONE = ZoneInfo("UTC")


def test_a_page_is_marked_and_shaded(history: DeploymentHistory) -> None:
    drawing = evidence_drawing(history.windows, (365.0, 30.0), history.incidents, WIDE, ZONE)
    styles = [path.style for path in drawing.paths]
    assert styles.count("page-span") == 1
    assert {"page-mark", "page-evidence", "notice-evidence", "page-threshold", "notice-threshold"} <= {*styles}
    assert {"page at 365", "notice at 30", "100", "10⁴"} <= {label.text for label in drawing.labels}
    assert "1 page raised" in drawing.summary


def test_a_page_of_before_the_first_window_shown_is_shaded_until_it_closed(history: DeploymentHistory) -> None:
    page = next(one for one in history.incidents if one.level == "page")
    later = [one for one in history.windows if one.start > page.window_start]
    for closed_at, spans in ((None, 1), (later[3].end, 1), (later[0].start, 0)):
        closed = replace(page, closed_at=closed_at)
        styles = [path.style for path in evidence_drawing(later, (365.0, 30.0), (closed,), WIDE, ZONE).paths]
        assert (styles.count("page-span"), styles.count("page-mark")) == (spans, 0)


def test_without_a_page_there_is_no_mark(calm: DeploymentHistory) -> None:
    drawing = evidence_drawing(calm.windows, (365.0, 30.0), calm.incidents, WIDE, ZONE)
    assert not {path.style for path in drawing.paths} & {"page-mark", "page-span"}
    assert "no page raised" in drawing.summary
