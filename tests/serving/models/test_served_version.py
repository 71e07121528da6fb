"""A version is unloaded when its last lease is released."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from serving.models.loading import load_version
from serving.models.runner import Runner
from serving.models.served_version import ServedVersion
from serving.models.version_folders import discover
from serving.models.versions import Models
from serving.status import Failure

if TYPE_CHECKING:
    from pathlib import Path


def value(served: ServedVersion) -> float:
    """What the model makes of 0: its bias, which tells the two models apart."""
    signature = served.runner.signatures["serving_default"]
    return float(served.runner.run(signature, {"x": np.zeros(1, np.float32)}, ["y"])["y"][0])


@pytest.fixture
def repository(tmp_path: Path, models_folder: Path) -> Path:
    shutil.copytree(models_folder / "half_plus_two" / "00000123", tmp_path / "m" / "1")
    return tmp_path


def put(models_folder: Path, target: Path) -> None:
    """As an exporter does: written aside, then renamed into place."""
    aside = target.parent / ".aside"
    shutil.copytree(models_folder / "half_plus_three" / "1", aside)
    aside.rename(target)


def test_a_version_that_is_unloaded_gives_no_more_leases(repository: Path, models_folder: Path) -> None:
    loaded = Models(lambda: discover(repository), load=load_version, report=lambda _: None, unload_timeout_s=0.01)
    loaded.poll()
    put(models_folder, repository / "m" / "2")
    with loaded.lease("m") as old:
        assert value(old) == 2.0
        assert old.acquire(), "as long as it serves, it gives leases"
        old.release()
    loaded.poll()
    assert not old.acquire()
    loaded.close()


def test_unloading_waits_for_the_last_lease(repository: Path) -> None:
    served = ServedVersion(model="m", number=1, runner=Runner(repository / "m" / "1"), path=repository / "m" / "1")
    assert served.acquire()
    assert served.acquire()
    unloading = threading.Thread(target=served.unload, kwargs={"timeout_s": 60.0})
    unloading.start()
    while served.acquire():  # refused from the moment that unloading begins
        served.release()
    served.release()
    assert value(served) == 2.0, "the other lease keeps it loaded"
    assert unloading.is_alive()
    served.release()
    unloading.join(30)
    assert not unloading.is_alive()
    with pytest.raises(Failure, match="CANCELLED: Session has been closed"):
        value(served)


def test_unloading_gives_up_waiting_after_its_time(repository: Path) -> None:
    served = ServedVersion(model="m", number=1, runner=Runner(repository / "m" / "1"), path=repository / "m" / "1")
    assert served.acquire()
    served.unload(timeout_s=0.0)
    served.release()
    assert not served.acquire()


def test_a_versions_key_in_ml_metadata_is_known_while_it_is_loaded(repository: Path) -> None:
    (repository / "m" / "1" / "assets.extra").mkdir()
    (repository / "m" / "1" / "assets.extra" / "mlmd_uuid").write_bytes(b"my_mlmd_uuid\n" + bytes(10_000))
    models = Models(lambda: discover(repository), load=load_version, report=lambda _: None)
    models.poll()
    known = models.mlmd_uuids()
    models.close()
    assert known == {("m", 1): "my_mlmd_uuid"}
    assert models.mlmd_uuids() == {}
