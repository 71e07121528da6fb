"""An unloaded version gives its memory back to the system."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pitfalls_tf.cli.serve import SYSTEM_ALLOCATOR

if TYPE_CHECKING:
    from pathlib import Path

MEGABYTES = 64
SCRIPT = """
import os, sys
from pathlib import Path
from serving.models.loading import load_version

def rss():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1_000_000

runners = [load_version(Path(sys.argv[1])) for _ in range(3)]
full = rss()
for runner in runners:
    runner.close()
print(full - rss())
"""


@pytest.mark.slow
def test_memory_is_given_back(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    width = MEGABYTES * 250_000
    write = f"import sys, benchmarks.soak as s; s.WIDTH = {width}; s.write_model(s.Path(sys.argv[1]))"
    environment = {**os.environ, SYSTEM_ALLOCATOR[0]: SYSTEM_ALLOCATOR[1]}
    subprocess.run([sys.executable, "-c", write, str(tmp_path / "1")], check=True, cwd=pytestconfig.rootpath)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "1")],
        check=True,
        capture_output=True,
        text=True,
        cwd=pytestconfig.rootpath,
        env=environment,
    )
    assert int(done.stdout) >= 2 * MEGABYTES
