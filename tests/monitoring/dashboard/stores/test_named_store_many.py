"""Five hundred deployments in stores of their own, in a process that may open 256 files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from monitoring.store.store import Store
from tests.dashboard_store import fill

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STORES, FILES = 500, 256

#: Scrapes twice; a store whose file has not changed is not asked again.
SCRAPE = """
import os, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), int(sys.argv[2])))
from monitoring.config.files import read_files
from monitoring.dashboard.overview.metrics import read_metrics
from monitoring.dashboard.stores.stores import CurrentStores
from monitoring.store.overview import OverviewQueries
files = read_files(sorted(Path(sys.argv[1]).glob("*.toml")))
stores = CurrentStores(lambda: files)
first = read_metrics(stores())
def never(_self):
    raise AssertionError("a store is read again")
OverviewQueries.outlines = never
second = read_metrics(stores())
print(first.count("pitfalls_unacknowledged_page{"), second.count("pitfalls_unacknowledged_page{"))
print("pitfalls_unreadable_configs 0.0" in second, len(os.listdir("/proc/self/fd")) < 32)
"""


def test_256_files_are_enough_for_500_stores_and_unchanged_ones_are_not_read_again(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/template.db") as store:
        fill(store, "flights")
    for number in range(STORES):
        shutil.copy(tmp_path / "template.db", tmp_path / f"{number}.db")
        text = '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n'
        (tmp_path / f"{number}.toml").write_text(f'{text}[store]\nurl = "sqlite:///{number}.db"\n')
    command = [sys.executable, "-c", SCRAPE, str(tmp_path), str(FILES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(STORES), str(STORES), "True", "True"], done.stderr
