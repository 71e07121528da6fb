from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from monitoring.dashboard.deployment.drift import DriftView, read_drift
from monitoring.dashboard.stores.stores import Stores
from monitoring.errors import BadInput
from tests.dashboard_store import NOW, described_stores, stores_of
from tests.described_deployment import DAY, FIRST

START = FIRST + 3 * DAY
SUBJECT = "parcels version 1, 4 Mar 2013"


def view_of(stores: Stores) -> DriftView:
    return read_drift(stores.deployment(("shop", 1)), START)


def write(folder: Path, subject: str) -> Path:
    (folder / "report").mkdir(exist_ok=True)
    page = folder / "report" / "drift-2013-03-04.html"
    page.write_text("<script>document.title = 'ran'</script>")
    page.with_suffix(".json").write_text(json.dumps({"subject": subject}))
    return page


def test_a_report_of_this_window_is_found_beside_the_config(tmp_path: Path) -> None:
    stores = described_stores(tmp_path)
    assert view_of(stores).report is None
    assert view_of(stores).report is None
    page = write(tmp_path, SUBJECT)
    assert view_of(stores).report == page
    write(tmp_path, "parcels version 2, 4 Mar 2013")
    assert view_of(stores).report is None
    page.with_suffix(".json").write_text("[")
    assert view_of(stores).report is None


def test_without_a_report_there_is_the_command_that_writes_it(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    words = shlex.split(view_of(described_stores(folder)).command)
    assert words[:3] == ["pitfalls", "monitor", "report"]
    assert words[words.index("--config") + 1] == str(folder / "monitor.toml")
    assert words[words.index("--window") + 1] == "2013-03-04T00:00"


def test_without_a_config_or_a_window_it_is_said(url: str) -> None:
    stores = stores_of(url)
    start = stores.stores[0].store().windows.recent(1, latest=1)[0].start
    assert (
        read_drift(stores.deployment(("shop", 1)), start).command,
        read_drift(stores.deployment(("shop", 1)), start).report,
    ) == ("", None)
    with pytest.raises(BadInput, match="There is no such window"):
        read_drift(stores.deployment(("shop", 1)), NOW)
