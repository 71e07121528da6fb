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
    fits = re.findall(r'<svg class="([a-z]+)"[^>]* role="img"', document)
    assert fits == [*["span"] * 3, *["half"] * 4, *["wide", "narrow"] * 3, *["small"] * 3, "wide", "narrow"]
    for words in ("page at 365", "23 Apr", "origin = EWR", "Sep"):
        assert words in document


def test_hostile_labels_are_shown_and_never_run(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(EXAMPLES["make_status"](label=HOSTILE), path=path, benchmark=EXAMPLES["make_benchmark"]())
    document, console = opened(path)
    assert console == ""
    assert re.search(r"<title>flights version 1: 2 pages in 275 windows, 1 still open</title>", document)
    assert "<img" not in document
    assert "<script" not in document
