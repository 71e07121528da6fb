"""Operations that TensorFlow does not have: of a named library, of an installed package, or of neither."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from monitoring.errors import BadInput
from serving.models.loading import load_version
from serving.models.op_libraries import load_op_libraries
from serving.models.runner import LoadError
from serving.status import Code

if TYPE_CHECKING:
    from pathlib import Path

COMPILER = shutil.which("g++")
# An operation whose answer is its input.
SOURCE = """
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/common_shape_fns.h"
using namespace tensorflow;
REGISTER_OP("OwnEcho").Input("x: float").Output("y: float").SetShapeFn(shape_inference::UnchangedShape);
struct OwnEcho : OpKernel {
  explicit OwnEcho(OpKernelConstruction* construction) : OpKernel(construction) {}
  void Compute(OpKernelContext* context) override { context->set_output(0, context->input(0)); }
};
REGISTER_KERNEL_BUILDER(Name("OwnEcho").Device(DEVICE_CPU), OwnEcho);
"""
SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from serving.models.op_libraries import load_op_libraries
from serving.models.runner import Runner
load_op_libraries([Path(name) for name in sys.argv[2:]])
runner = Runner(Path(sys.argv[1]))
print(runner.run(runner.signatures["s"], {"x": np.float32([1, 2])}, ["y"])["y"].tolist())
"""


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """A model whose only operation is `OwnEcho`: an identity that is renamed in the file."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None], "x")
        y = tf.compat.v1.raw_ops.Relu(features=x, name="y")
        signature = tf.compat.v1.saved_model.predict_signature_def({"x": x}, {"y": y})
        builder = tf.compat.v1.saved_model.Builder(str(tmp_path / "1"))
        builder.add_meta_graph_and_variables(session, ["serve"], {"s": signature})
        builder.save()
    file = tmp_path / "1" / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    [node] = [node for node in saved.meta_graphs[0].graph_def.node if node.op == "Relu"]
    node.op = "OwnEcho"
    node.attr.clear()
    file.write_bytes(saved.SerializeToString())
    return tmp_path / "1"


def test_an_operation_that_nobody_has_is_named_with_where_it_may_come_from(version: Path) -> None:
    with pytest.raises(
        LoadError, match=r"does not: OwnEcho\. Those of TensorFlow Text .* --op_library FILE$"
    ) as caught:
        load_version(version)
    assert caught.value.code is Code.NOT_FOUND


def test_a_package_that_cannot_be_imported_says_why(
    version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tensorflow_text.py").write_text('raise ImportError("built for another release")')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        LoadError, match="tensorflow_text is installed and cannot be imported: built for another release"
    ):
        load_version(version)


def test_a_file_that_is_no_library_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ops.so"
    file.write_bytes(b"no library")
    with pytest.raises(BadInput, match=r"A library of operations cannot be loaded. Got .*ops\.so"):
        load_op_libraries([file])


@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None, reason="needs a compiler")
def test_operations_of_a_named_library_and_of_an_installed_package_are_found(version: Path, tmp_path: Path) -> None:
    source, library = tmp_path / "echo.cc", tmp_path / "libecho.so"
    source.write_text(SOURCE)
    flags = [*tf.sysconfig.get_compile_flags(), *tf.sysconfig.get_link_flags()]
    subprocess.run([str(COMPILER), "-O0", "-shared", "-fPIC", str(source), "-o", str(library), *flags], check=True)
    package = tmp_path / "site" / "tensorflow_text.py"
    package.parent.mkdir()
    package.write_text(f"import tensorflow as tf\ntf.load_op_library({str(library)!r})\n")
    assert ran(version, str(library)) == "[1.0, 2.0]\n"
    assert ran(version, path=str(package.parent)) == "[1.0, 2.0]\n"


def ran(version: Path, *libraries: str, path: str = "") -> str:
    """What a process of its own answers, as loaded libraries stay."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([path, *sys.path])}
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(version), *libraries]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
