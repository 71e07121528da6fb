"""The garbage collector is tuned before the first model is loaded."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SCRIPT = """
import gc, sys, weakref
from pathlib import Path
from serving.models.loading import load_version
from serving.server.gc_tuning import tune_gc

tune_gc()
frozen = gc.get_freeze_count()
runner = load_version(Path(sys.argv[1]))
graph = weakref.ref(runner._session.graph)
runner.close()
del runner
gc.collect()
print(frozen, gc.get_threshold()[0], graph() is None)
"""


def test_later_collections_skip_tensorflow_and_free_an_unloaded_model(
    models_folder: Path, pytestconfig: pytest.Config
) -> None:
    version = next(path.parent for path in sorted(models_folder.rglob("saved_model.pb")))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(version)],
        check=True,
        capture_output=True,
        text=True,
        cwd=pytestconfig.rootpath,
    )
    frozen, threshold, is_gone = done.stdout.split()
    assert int(frozen) > 100_000
    assert (threshold, is_gone) == ("50000", "True")
