"""Operations that TensorFlow itself does not have: those of two packages, and of libraries that an operator names.

A package is imported only for a graph that needs it: importing one takes seconds.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitoring.errors import BadInput

#: Those whose operations TensorFlow Serving has, too.
PACKAGES = ("tensorflow_text", "tensorflow_decision_forests")
ADVICE = (
    f"Those of TensorFlow Text and Decision Forests come with {' and '.join(PACKAGES)}; "
    "name the library of others: --op_library FILE"
)


def load_op_libraries(files: Sequence[Path]) -> None:
    """Load libraries of operations into this process.

    Args:
        files: Shared libraries, as for ``tf.load_op_library``. They are native code, which may do anything.
    """
    import tensorflow as tf  # noqa: PLC0415 - loaded by the first model only

    for file in files:
        try:
            tf.load_op_library(str(file.absolute()))
        except (tf.errors.OpError, OSError, RuntimeError) as error:
            raise BadInput(
                "A library of operations cannot be loaded.",
                got=f"{file}: {getattr(error, 'message', error)}",
                expected=f"a shared library built for TensorFlow {tf.__version__}",
                fix="Correct --op_library, or build the library for this release.",
            ) from error


def why_unknown(meta_graph: Any) -> str:
    """Say which operations of a graph no library has; for such a graph the installed packages are imported first.

    Args:
        meta_graph: A ``tensorflow.MetaGraphDef``.

    Returns:
        A sentence with their names; empty if all are known.

    >>> from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
    >>> graph = MetaGraphDef()
    >>> graph.graph_def.node.add().op = "MatMul"
    >>> why_unknown(graph)
    ''
    """
    if not _unknown(meta_graph):
        return ""
    problems = [problem for problem in map(_import_package, PACKAGES) if problem]
    unknown = _unknown(meta_graph)
    if not unknown:
        return ""
    return " ".join((f"The graph has operations that TensorFlow does not: {', '.join(unknown)}.", *problems, ADVICE))


def _unknown(meta_graph: Any) -> list[str]:
    from tensorflow.python.framework import op_def_registry  # noqa: PLC0415 - loaded by the first model only

    graph = meta_graph.graph_def
    functions = {function.signature.name for function in graph.library.function}
    used = {node.op for function in graph.library.function for node in function.node_def}
    used |= {node.op for node in graph.node}
    return sorted(name for name in used - functions if op_def_registry.get(name) is None)


def _import_package(name: str) -> str:
    """Import a package if it is installed; a sentence if it cannot be imported."""
    if importlib.util.find_spec(name) is None:
        return ""
    try:
        importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - whatever an incompatible release raises; it is reported
        return f"{name} is installed and cannot be imported: {str(error).strip().partition(chr(10))[0]}."
    return ""
