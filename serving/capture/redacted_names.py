"""Whether the names to redact exist in the loaded models: a misspelt name must not go unnoticed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, final

from monitoring.errors import BadInput
from monitoring.traffic.format.rows import CALLER
from monitoring.traffic.log.redaction import Redaction
from serving.models.runner import Runner
from serving.models.signatures import ELEMENT_TYPES_BY_NAME

STRING = ELEMENT_TYPES_BY_NAME["string"]


@final
class RedactedNames:
    """Compares the names to redact with the tensors and features of every version that is loaded. Thread-safe.

    A name is found if it is a tensor of a signature, a feature that the graph reads out of tf.Examples, or
    ``TENSOR.FEATURE`` with a tensor of strings: clients may send features that the graph does not read.

    Args:
        redaction: The names; None has none.
    """

    def __init__(self, redaction: Redaction | None, *, report: Callable[[str], None]) -> None:
        self._redaction = redaction
        self._report = report
        self._matched: dict[Path, frozenset[str]] = {}  # by model: the names found in its newest version
        self._has_started = False
        self._lock = threading.Lock()

    def note(self, path: Path, runner: Runner) -> None:
        """Look for the names in a version that was loaded from this folder."""
        if self._redaction is None:
            return
        names = _names(self._redaction)
        matched_names = names - set(self._redaction.unmatched(tensor_and_feature_names(runner)))
        matched_names |= {name for name in names if _is_inside(name, runner)}
        with self._lock:
            before, self._matched[path.parent] = self._matched.get(path.parent, frozenset()), frozenset(matched_names)
            missing = names - frozenset().union(*self._matched.values())
            started = self._has_started
        if not started:
            return
        for name in sorted((before - matched_names) | missing):
            self._report(
                f"{path} has no input, output or feature {name!r}, which is to be redacted: if it has another name "
                "there, it is logged as it is."
            )

    def check(self, *, is_everything: bool) -> None:
        """Check at the end of the start that every name was found.

        Args:
            is_everything: Whether every model could be loaded. If not, names that were not found are only reported.

        Raises:
            BadInput: a name was not found.
        """
        with self._lock:
            self._has_started = True
            matched_names = frozenset().union(*self._matched.values())
        if self._redaction is None:
            return
        missing = sorted(_names(self._redaction) - matched_names)
        if not missing:
            return
        if is_everything:
            raise BadInput(
                "A name given by --redact or --hash was not found.",
                got=", ".join(missing),
                expected="inputs and outputs of the models, or features that they read out of tf.Examples",
                fix="Check the spelling; a feature that no model reads is named with its tensor, as in examples.email.",
            )
        for name in missing:
            self._report(f"No loaded model has an input, output or feature {name!r}, which is to be redacted.")


def _names(redaction: Redaction) -> frozenset[str]:
    """The names of tensors and features; the columns of callers are in every log."""
    return (redaction.dropped | redaction.hashed) - frozenset(CALLER)


def tensor_and_feature_names(runner: Runner) -> Iterator[str]:
    """Names of the tensors of every signature, and of the features that the graph may read out of tf.Examples."""
    for signature in runner.signatures.values():
        yield from signature.inputs
        yield from signature.outputs
    yield from example_features(runner.graph_definition)


def example_features(graph: Any) -> set[str]:
    """Names of features that a graph may read out of tf.Examples.

    Every text constant of a function that parses tf.Examples counts: a few too many, and none too few unless names are
    computed.
    """
    features: set[bytes] = set()
    for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
        parsers = [node for node in nodes if node.op.startswith("Parse") and "Example" in node.op]
        for node in parsers:
            for attribute in ("dense_keys", "sparse_keys", "ragged_keys"):
                features.update(node.attr[attribute].list.s if attribute in node.attr else ())
        if parsers:
            features.update(
                text for node in nodes if node.op == "Const" for text in node.attr["value"].tensor.string_val
            )
    return {name.decode(errors="replace") for name in features}


def _is_inside(name: str, runner: Runner) -> bool:
    """Whether a name is ``TENSOR.FEATURE`` of a tensor that may hold tf.Examples."""
    strings = {
        tensor.name
        for signature in runner.signatures.values()
        for tensor in (*signature.inputs.values(), *signature.outputs.values())
        if tensor.element == STRING
    }
    return name.rpartition(".")[0] in strings
