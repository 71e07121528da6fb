"""A SavedModel's tensors and errors, by both methods of the session."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
import tensorflow as tf

from pitfalls_tf.cli.serve import SYSTEM_ALLOCATOR
from serving.models.runner import LoadError, Runner
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Array = np.ndarray[Any, Any]


@pytest.fixture(params=["callable", "run"])
def method(request: pytest.FixtureRequest) -> Literal["callable", "run"]:
    chosen: Literal["callable", "run"] = request.param
    return chosen


@pytest.fixture
def named(models_folder: Path, method: Literal["callable", "run"]) -> Iterator[Runner]:
    runner = Runner(models_folder / "named" / "1", method=method)
    yield runner
    runner.close()


def named_inputs() -> dict[str, Array]:
    return {
        "ints": np.array([[1, 2], [3, 4]], np.int32),
        "name": np.array([b"a\0", "é".encode()], object),
        "feat": np.array([[0.5, 1], [2, 3]], np.float32),
    }


def test_it_answers_by_name(named: Runner) -> None:
    signature = named.signatures["serving_default"]
    answer = named.run(signature, named_inputs(), list(signature.outputs))
    assert answer["isum"].tolist() == [3, 7]
    assert answer["name_bytes"].tolist() == [b"a\0", "é".encode()]
    assert answer["fx2"].dtype == np.float32
    assert list(named.run(signature, named_inputs(), ["isum"])) == ["isum"]


def test_a_scalar_comes_back_as_an_array(named: Runner) -> None:
    signature = named.signatures["scalar_out"]
    total = named.run(signature, {"x": np.array([1, 2], np.float32)}, ["total"])["total"]
    assert (total.shape, float(total)) == ((), 3.0)


def test_the_graphs_errors_keep_their_code_and_text(models_folder: Path) -> None:
    runner = Runner(models_folder / "named" / "1")
    wrong = {"a": np.zeros((1, 2), np.int32), "b": np.zeros((1, 3), np.float32)}
    with pytest.raises(Failure, match=r"^INVALID_ARGUMENT: Type mismatch: actual int32 vs\. expect float"):
        runner.run(runner.signatures["two_float"], wrong, ["p"])
    runner.close()


def test_a_wrong_rank_is_an_invalid_argument_by_either_method(
    models_folder: Path, method: Literal["callable", "run"]
) -> None:
    runner = Runner(models_folder / "dense4" / "1", method=method)
    with pytest.raises(Failure) as caught:
        runner.run(runner.signatures["serving_default"], {"feat": np.zeros(4, np.float32)}, ["output_0"])
    assert caught.value.code is Code.INVALID_ARGUMENT
    runner.close()


def test_the_shape_of_the_signature_is_not_enforced(models_folder: Path) -> None:
    runner = Runner(models_folder / "named" / "1")
    inputs = named_inputs() | {"ints": np.array([[1, 2, 3], [4, 5, 6]], np.int32)}
    assert runner.run(runner.signatures["serving_default"], inputs, ["isum"])["isum"].tolist() == [6, 15]
    runner.close()


@pytest.mark.parametrize("damage", ["missing", "empty", "cut"])
def test_a_folder_that_is_not_a_model_is_a_load_error_with_a_reason(
    models_folder: Path, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "1"
    if damage != "missing":
        folder.mkdir()
        graph = (models_folder / "half_plus_two" / "00000123" / "saved_model.pb").read_bytes()
        (folder / "saved_model.pb").write_bytes(graph[: len(graph) // 2] if damage == "cut" else b"")
    with pytest.raises(LoadError, match=r"."):
        Runner(folder)


def test_a_rank_that_would_kill_the_process_is_refused(named: Runner) -> None:
    deep = {"name": np.array([b"a", b"b"], object).reshape(2, *[1] * 33)}
    with pytest.raises(Failure, match="more than 32 dimensions"):
        named.run(named.signatures["serving_default"], named_inputs() | deep, ["name_out"])


def test_the_highest_rank_runs(models_folder: Path, method: Literal["callable", "run"]) -> None:
    runner = Runner(models_folder / "strs" / "1", method=method)
    deepest = np.array([b"a", b"b"], object).reshape(2, *[1] * 31)
    answer = runner.run(runner.signatures["serving_default"], {"image_bytes": deepest}, ["out_bytes"])
    assert (answer["out_bytes"].shape, answer["out_bytes"].reshape(-1).tolist()) == (deepest.shape, [b"a", b"b"])
    runner.close()


def test_a_sparse_tensor_cannot_be_asked_for(tmp_path: Path, method: Literal["callable", "run"]) -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        sparse = tf.compat.v1.sparse_placeholder(tf.float32, [None, 4], "s")
        y = tf.identity(tf.sparse.reduce_sum(sparse, 1), "y")
        info = tf.compat.v1.saved_model.build_tensor_info
        signature = tf.compat.v1.saved_model.build_signature_def({"s": info(sparse)}, {"y": info(y)}, "predict")
        builder = tf.compat.v1.saved_model.Builder(str(tmp_path / "1"))
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
    runner = Runner(tmp_path / "1", method=method)
    with pytest.raises(Failure, match=r"several parts \(coo_sparse or composite_tensor\).* cannot name: s\.") as caught:
        runner.run(runner.signatures["serving_default"], {"s": np.zeros((1, 4), np.float32)}, ["y"])
    runner.close()
    assert caught.value.code is Code.INVALID_ARGUMENT


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
