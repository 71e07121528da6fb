"""The child process of a scorer: reads frames of rows from its standard input, and answers with frames of answers.

It runs at the lowest priority, and is the first that the kernel ends if memory runs out. It ends when its input does,
and with the process that started it, whatever the graph is doing.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from monitoring.errors import PitfallsError
from serving.confinement.confinement import Needs, Support, confine_calls, confine_files
from serving.confinement.parent_death import end_with_parent
from serving.shadow.bundle_scorer import BundleScorer
from serving.shadow.frames import ALONE_KEY, EMPTY_KEY, ERROR_KEY, LENGTH, READY_KEY, framed, scored_table, unframed
from serving.shadow.priority import LOWEST_PRIORITY


def main(arguments: Sequence[str]) -> int:
    """Serve frames until the input ends."""
    end_with_parent()
    answers = _own_output()
    os.setpriority(os.PRIO_PROCESS, 0, LOWEST_PRIORITY)  # whatever the priority of the process that started it
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    try:
        _confine(Path(arguments[0]))
        scorer = BundleScorer(Path(arguments[0]), allowed_operations=tuple(arguments[1:]))
    except PitfallsError as error:
        _send(answers, framed(pa.table({}), {ERROR_KEY: _document(error)}))
        return error.exit_code
    _send(answers, framed(pa.table({}), {READY_KEY: b"1", EMPTY_KEY: _sizes(scorer)}))
    while (payload := _receive(sys.stdin.buffer)) is not None:
        rows, metadata = unframed(payload)
        try:
            if ALONE_KEY in metadata:
                reply = framed(*scored_table(scorer.score(rows, alone=metadata[ALONE_KEY] == b"1")))
            else:
                scorer.check(rows)
                reply = framed(pa.table({}), {READY_KEY: b"1"})
        except PitfallsError as error:
            reply = framed(pa.table({}), {ERROR_KEY: _document(error)})
        _send(answers, reply)
    scorer.close()
    return 0


def _confine(bundle: Path) -> None:
    """Reach the bundle alone, as far as the kernel can confine: its graph answers no client, and no file of others."""
    # TensorFlow asks for it while it is imported. It is found by writing a file, which is refused afterwards, and kept.
    tempfile.gettempdir()
    support = Support.of_this_machine()
    confine_files(Needs(read=(bundle,)), support)
    confine_calls(support)


def _own_output() -> BinaryIO:
    """The standard output for frames alone: what libraries print goes to the standard error."""
    descriptor = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(descriptor, "wb", buffering=0)


def _receive(source: BinaryIO) -> bytes | None:
    """The next frame without its length; None at the end."""
    head = source.read(LENGTH)
    if len(head) < LENGTH:
        return None
    length = int.from_bytes(head, "little")
    payload = source.read(length)
    return payload if len(payload) == length else None


def _send(target: BinaryIO, frame: bytes) -> None:
    view = memoryview(frame)
    while view:
        view = view[target.write(view) :]


def _sizes(scorer: BundleScorer) -> bytes:
    """For each signature the type and the size of a row of each output."""
    empty = scorer.unanswered(0)
    return json.dumps(
        {
            signature: {name: [tensor.dtype.str, tensor.shape[1:]] for name, tensor in outputs.items()}
            for signature, outputs in empty.items()
        }
    ).encode()


def _document(error: PitfallsError) -> bytes:
    parts = {"what": error.what, "got": error.got, "expected": error.expected, "fix": error.fix}
    return json.dumps({**parts, "exit_code": error.exit_code}).encode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
