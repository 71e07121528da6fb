from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from monitoring.dashboard.web.drift_pages import DriftView, drift_view
from monitoring.dashboard.web.pages import Pages
from monitoring.errors import BadInput
from tests.dashboard_store import NOW, described_pages, pages_of
from tests.described_deployment import DAY, FIRST

START = FIRST + 3 * DAY
SUBJECT = "parcels version 1, 4 Mar 2013"


def view_of(pages: Pages) -> DriftView:
    return drift_view(pages, "shop", 1, START)


def write(folder: Path, subject: str) -> Path:
    (folder / "report").mkdir(exist_ok=True)
    page = folder / "report" / "drift-2013-03-04.html"
    page.write_text("<script>document.title = 'ran'</script>")
    page.with_suffix(".json").write_text(json.dumps({"subject": subject}))
    return page


def test_a_report_of_this_window_is_found_beside_the_config(tmp_path: Path) -> None:
    pages = described_pages(tmp_path)
    assert view_of(pages).report is None
    assert view_of(pages).report is None
    page = write(tmp_path, SUBJECT)
    assert view_of(pages).report == page
    write(tmp_path, "parcels version 2, 4 Mar 2013")
    assert view_of(pages).report is None
    page.with_suffix(".json").write_text("[")
    assert view_of(pages).report is None


def test_without_a_report_there_is_the_command_that_writes_it(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    words = shlex.split(view_of(described_pages(folder)).command)
    assert words[:3] == ["pitfalls", "monitor", "report"]
    assert words[words.index("--config") + 1] == str(folder / "monitor.toml")
    assert words[words.index("--window") + 1] == "2013-03-04T00:00"


def test_without_a_config_or_a_window_it_is_said(url: str) -> None:
    pages = pages_of(url)
    start = pages.sources[0].store().recent_windows(1, latest=1)[0].start
    assert (drift_view(pages, "shop", 1, start).command, drift_view(pages, "shop", 1, start).report) == ("", None)
    with pytest.raises(BadInput, match="There is no such window"):
        drift_view(pages, "shop", 1, NOW)
