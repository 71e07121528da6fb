"""A Keras model becomes the next version of a bundle, whole, or nothing at all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from monitoring.errors import BadInput
from serving.export.export import Bundle, check_name
from serving.export.keras_model import KerasModel
from serving.export.manifest import Provenance
from serving.export.saved_model import EXAMPLES, write_examples
from serving.export.staging import PREFIX
from serving.models.loading import load_version
from serving.models.runner import Runner
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.models.version_folders import discover, find_versions
from serving.models.versions import Models
from tests.serving.export_model import (
    ROWS,
    exported,
    reference_table,
)

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
