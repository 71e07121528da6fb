"""A Keras model becomes the next version of a bundle, whole, or nothing at all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from monitoring.errors import BadInput, CannotRun
from serving.export.export import PREFIX, Bundle, StagedVersion, staged_version
from serving.export.keras_model import KerasModel
from serving.export.manifest import Provenance
from serving.export.model_name import check_name
from serving.export.saved_model import EXAMPLES, write_examples
from serving.models.loading import load_version
from serving.models.runner import Runner
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.models.version_folders import discover, find_versions
from serving.models.versions import Models
from tests.serving.export_model import ROWS, exported, reference_table

# The clock is asked once the model is written and replayed: a death there leaves a whole SavedModel aside.
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.serving.export_model import PROVENANCE, small_model
from serving.export.export import export_bundle
export_bundle(small_model(), folder=Path(sys.argv[2]) / "flights", reference=None, provenance=PROVENANCE,
              clock=lambda: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_the_first_version_is_1_and_is_found(bundle: Bundle) -> None:
    assert (bundle.name, bundle.version) == ("flights", 1)
    assert find_versions(bundle.path.parent) == {1: bundle.path}
    assert [path.name for path in bundle.path.parent.iterdir()] == ["1"]


def test_versions_hands_over_to_a_new_bundle(
    bundle: Bundle, model: keras.Model, expected: dict[str, Any], tmp_path: Path
) -> None:
    root = tmp_path / "models"
    shutil.copytree(bundle.path.parents[1], root)
    served = Models(lambda: discover(root), load=load_version, report=lambda _: None)
    try:
        served.poll()
        assert served.available("flights") == (1,)
        second = exported(model, root, name="flights", reference=reference_table())
        assert second.metrics == bundle.metrics, "the bootstrap is seeded"
        served.poll()
        assert (second.version, served.available("flights")) == (2, (2,))
        with served.lease("flights") as one:
            signature = one.runner.signatures[DEFAULT_SIGNATURE]
            answers = one.runner.run(signature, ROWS, ["probabilities"])
        np.testing.assert_allclose(answers["probabilities"], expected["probabilities"], atol=1e-5)
    finally:
        served.close()


@pytest.mark.slow
def test_killed_in_the_middle_it_leaves_nothing_to_load(tmp_path: Path, model: keras.Model) -> None:
    checkout = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, checkout, tmp_path], check=False, capture_output=True, text=True
    )
    assert done.returncode == -9, done.stderr
    (left,) = (tmp_path / "flights").iterdir()
    assert left.name.startswith(PREFIX)
    assert (left / "contents" / "saved_model.pb").is_file(), "it died too early to show anything"
    assert discover(tmp_path) == ()
    assert exported(model, tmp_path, name="flights").version == 1
    assert [path.name for path in (tmp_path / "flights").iterdir()] == ["1"]


def test_a_model_of_images_with_one_unnamed_output_and_no_reference(tmp_path: Path) -> None:
    images = keras.Sequential(
        [keras.Input((4, 4, 1), name="image", dtype="uint8"), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    path = exported(images, tmp_path, provenance=Provenance()).path
    extra = path / "assets.extra"
    assert sorted(one.name for one in extra.iterdir()) == ["manifest.json", "tf_serving_warmup_requests"]
    assert json.loads((extra / "manifest.json").read_text())["reference"] is None
    loaded = Runner(path)
    signature = loaded.signatures[DEFAULT_SIGNATURE]
    assert {name: one.shape for name, one in signature.inputs.items()} == {"image": (-1, 4, 4, 1)}
    assert {name: one.shape for name, one in signature.outputs.items()} == {"outputs": (-1, 3)}
    pixels = np.arange(32, dtype=np.uint8).reshape(2, 4, 4, 1)
    examples = np.array(write_examples(KerasModel(images).inputs, {"image": pixels}), object)
    answers = loaded.run(loaded.signatures[EXAMPLES], {"examples": examples}, ["outputs"])
    loaded.close()
    np.testing.assert_allclose(answers["outputs"], images(pixels).numpy(), rtol=1e-5)


@pytest.mark.parametrize("name", ["", "7", ".flights", "a/b", "a:b", "a b", "-x", "x" * 129])
def test_a_name_that_no_url_can_carry_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="cannot be the name of a model"):
        check_name(name)


# Dies by SIGKILL at the moment that it is given.
DYING = """
import os, shutil, signal, sys
from pathlib import Path
from monitoring import atomic
from serving.export.export import staged_version

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

moment = sys.argv[2]
if moment == "made":
    atomic.os.open = die
if moment == "deleting":
    real = shutil.rmtree
    shutil.rmtree = lambda path, **options: (real(path, **options), die())
with staged_version(Path(sys.argv[1])) as writing:
    (writing.folder / "saved_model.pb").write_bytes(b"half")
    if moment == "written":
        die()
    if moment == "published":
        writing.publish()
        die()
    if moment == "synced":
        Path.rename = die
        writing.publish()
"""


def publish_one(model: Path, content: str) -> Path:
    with staged_version(model) as writing:
        (writing.folder / "saved_model.pb").write_text(content)
        return writing.publish()


def test_a_candidate_takes_a_number_and_no_server_finds_it(tmp_path: Path) -> None:
    publish_one(tmp_path / "m", "1")
    with staged_version(tmp_path / "m") as writing:
        assert writing.publish(candidate=True).name == "2.candidate"
    assert publish_one(tmp_path / "m", "3").name == "3"
    assert sorted(find_versions(tmp_path / "m")) == [1, 3]


def leftovers(model: Path) -> list[Path]:
    return sorted(model.glob(f"{PREFIX}*"))


def test_versions_count_up_and_nothing_else_is_left(tmp_path: Path) -> None:
    model = tmp_path / "models" / "flights"
    assert [publish_one(model, content).name for content in "abc"] == ["1", "2", "3"]
    assert sorted(path.name for path in model.iterdir()) == ["1", "2", "3"]
    assert [path.name for path in (model / "2").iterdir()] == ["saved_model.pb"]


@pytest.mark.parametrize(("taken", "expected"), [("007", "8"), ("1700000000", "1700000001"), ("v9", "1")])
def test_the_next_number_follows_the_largest(tmp_path: Path, taken: str, expected: str) -> None:
    (tmp_path / taken).mkdir()
    assert publish_one(tmp_path, "x").name == expected


def test_a_file_with_a_number_for_a_name_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("mine")
    assert publish_one(tmp_path, "x").name == "2"
    assert (tmp_path / "1").read_text() == "mine"


def test_a_version_that_appears_meanwhile_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.rename

    def late(path: Path, target: Path) -> Path:
        if target.name == "1":
            target.mkdir()
            (target / "saved_model.pb").write_text("theirs")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", late)
    assert publish_one(tmp_path, "ours").name == "2"
    assert [(tmp_path / name / "saved_model.pb").read_text() for name in "12"] == ["theirs", "ours"]


def test_many_at_once_get_a_number_each(tmp_path: Path) -> None:
    start = threading.Barrier(8)
    published: list[Path] = []

    def one(content: str) -> None:
        start.wait()
        published.append(publish_one(tmp_path, content))

    threads = [threading.Thread(target=one, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(find_versions(tmp_path)) == list(range(1, 9))
    assert {(path / "saved_model.pb").read_text() for path in published} == set("01234567")
    assert not leftovers(tmp_path)


def test_what_was_not_published_is_deleted(tmp_path: Path) -> None:
    def fail(writing: StagedVersion) -> None:
        (writing.folder / "saved_model.pb").write_text("half")
        raise CannotRun("It broke.", got="a", expected="b", fix="c")

    with pytest.raises(CannotRun), staged_version(tmp_path) as writing:
        fail(writing)
    assert not list(tmp_path.iterdir())


def test_an_export_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    with staged_version(tmp_path) as slow:
        (slow.folder / "saved_model.pb").write_text("slow")
        assert len(leftovers(tmp_path)) == 1
        assert publish_one(tmp_path, "quick").name == "1"
        assert slow.publish().name == "2"
    assert (tmp_path / "2" / "saved_model.pb").read_text() == "slow"


@pytest.mark.parametrize("moment", ["made", "written", "synced", "published", "deleting"])
def test_killed_at_any_moment_it_leaves_no_half_version(tmp_path: Path, moment: str) -> None:
    done = subprocess.run([sys.executable, "-c", DYING, tmp_path, moment], check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert len(leftovers(tmp_path)) == 1
    whole = [1] if moment == "published" else []
    assert sorted(find_versions(tmp_path)) == whole
    assert int(publish_one(tmp_path, "next").name) == len(whole) + 1
    assert not leftovers(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with (
        pytest.raises(CannotRun, match=r"The models folder cannot be written.*models/flights"),
        staged_version(tmp_path / "models" / "flights"),
    ):
        pytest.fail("there is nowhere to write")


# Every step that Python takes in the file system is an audit event; the process kills itself at the one it is told.
STEPS = """
import os, signal, sys
from pathlib import Path
steps, last, models = 0, int(sys.argv[2]), os.path.realpath(sys.argv[3])
def step(event, arguments):
    global steps
    named = any(isinstance(one, (str, os.PathLike)) and os.fspath(one).startswith(models) for one in arguments)
    if named and event.partition(".")[0] in {"open", "os", "shutil", "tempfile"}:
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
"""
STAGING = (
    STEPS
    + """
sys.path.insert(0, sys.argv[1])
from serving.export.export import staged_version
sys.addaudithook(step)
with staged_version(Path(models) / "own") as staging:
    for name in ("saved_model.pb", "variables/variables.index", "assets.extra/manifest.json"):
        (staging.folder / name).parent.mkdir(exist_ok=True)
        (staging.folder / name).write_text(name)
    staging.publish()
print(steps)
"""
)
EXPORT = (
    STEPS
    + """
sys.path.insert(0, sys.argv[1])
from datetime import UTC, datetime
from tests.serving.export_model import PROVENANCE, reference_table, small_model
from serving.export.export import export_bundle
sys.addaudithook(step)
export_bundle(small_model(), folder=Path(models) / "own", reference=reference_table(), provenance=PROVENANCE,
              clock=lambda: datetime(2024, 5, 1, tzinfo=UTC))
print(steps)
"""
)
CHECKOUT = Path(__file__).parents[3]
WHOLE = {"saved_model.pb", "variables/variables.index", "assets.extra/manifest.json"}


def run(script: str, models: Path, last: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, str(CHECKOUT), str(last), str(models)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def is_whole(version: Path) -> bool:
    return all((version / name).is_file() for name in WHOLE)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_writing_a_version_killed_at_every_step(tmp_path: Path) -> None:
    done = run(STAGING, tmp_path / "whole", 0)
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)
    assert steps > 20
    for last in range(1, steps + 1):
        models = tmp_path / str(last)
        assert run(STAGING, models, last).returncode == -9
        left = find_versions(models / "own") if (models / "own").is_dir() else {}
        assert all(is_whole(version) for version in left.values()), last
        done = run(STAGING, models, 0)
        assert done.returncode == 0, done.stderr
        names = sorted(path.name for path in (models / "own").iterdir())
        assert names == sorted([*map(str, left), str(len(left) + 1)]), "the next export swept what was left"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_real_export_killed_on_its_way(tmp_path: Path) -> None:
    done = run(EXPORT, tmp_path / "whole", 0)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "whole/own/1/saved_model.pb").is_file()
    steps = int(done.stdout)
    models = tmp_path / "models"
    (models / "own").mkdir(parents=True)
    for last in range(3, steps, max(steps // 6, 1)):
        done = run(EXPORT, models, last)
        assert done.returncode == -9, done.stderr
        assert all(is_whole(version) for version in find_versions(models / "own").values())
        staging = [path.name for path in (models / "own").iterdir() if not path.name.isdecimal()]
        assert all(name.startswith(PREFIX) for name in staging)
