from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from monitoring.reports import write_page

pytestmark = pytest.mark.browser

EXAMPLES = runpy.run_path(str(Path(__file__).parents[1] / "monitoring" / "reports" / "conftest.py"))
HOSTILE = "</script><script>document.title='broken out'</script><img src=x onerror=\"document.title='broken out'\">"

Opened = Callable[[Path], tuple[str, str]]


def test_every_chart_is_drawn_and_the_policy_stops_none_of_it(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(EXAMPLES["make_status"](), path=path, benchmark=EXAMPLES["make_benchmark"]())
    document, console = opened(path)
    assert console == ""
    assert 'class="drawn"' in document
    charts = re.findall(r'data-chart="([a-z_-]+)"', document)
    assert charts == [
        *("months-brier", "months-error", "slices-brier", "slices-error", "evidence"),
        *("windows-brier", "windows-surprise_brier", "arrivals"),
    ]
    assert document.count('class="main-svg"') >= 2 * len(charts)
    for words in ("page at 365", "23 Apr", "origin = EWR", "Sep"):
        assert words in document
    assert "rgb(191, 52, 21)" in document  # the colour of a page, taken from the style sheet


def test_hostile_labels_are_shown_and_never_run(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(EXAMPLES["make_status"](label=HOSTILE), path=path, benchmark=EXAMPLES["make_benchmark"]())
    document, console = opened(path)
    assert console == ""
    assert re.search(r"<title>flights version 1: 2 pages in 275 windows, 1 still open</title>", document)
    assert "<img" not in re.sub(r"<script.*?</script>", "", document, flags=re.DOTALL)
    assert document.count('class="main-svg"') >= 14
