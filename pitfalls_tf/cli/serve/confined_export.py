"""`pitfalls export` in a process that reaches the model's file, the cache and a scratch folder, and no more.

A Keras file is somebody's program in part: what its layers are made of is read before anybody has looked at it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pitfalls_tf.cli import main as command_line
from pitfalls_tf.cli.frameworks import load_frameworks
from serving.confinement.confinement import (
    ConfineMode,
    Needs,
    Support,
    check_support,
    confine_calls,
    confine_files,
    has_gpu,
)


def export_command(file: Path, folder: Path, arguments: Sequence[str], mode: ConfineMode, scratch: Path) -> list[str]:
    """The command of the process.

    Args:
        file: The model's.
        folder: Which is made, and written to.
        arguments: Of `pitfalls export`, all; the module of ``--custom`` comes last.
        scratch: A folder for temporary files.
    """
    document = {"mode": mode, "file": str(file), "folder": str(folder), "arguments": arguments, "scratch": str(scratch)}
    return [sys.executable, "-m", "pitfalls_tf.cli.serve.confined_export", json.dumps(document)]


def _confine(request: dict[str, str], path: Sequence[str]) -> Support | None:
    mode = ConfineMode(request["mode"])
    if mode is ConfineMode.OFF or (mode is ConfineMode.AUTO and has_gpu()):
        return None
    support = Support.of_this_machine()
    check_support(mode, support)
    folder, scratch = Path(request["folder"]), request["scratch"]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    tempfile.tempdir = scratch
    confine_files(Needs(read=(Path(request["file"]), *map(Path, path)), write=(folder, Path(scratch))), support)
    return support


def main() -> None:
    """Confine this process, and export."""
    request = json.loads(sys.argv[1])
    arguments = request["arguments"]
    # The module of custom layers is the operator's own code, and found where this process imports from.
    own = [*(each or "." for each in sys.path), arguments[-1]] if "--custom" in arguments else []
    support = _confine(request, own)
    load_frameworks("tensorflow", "keras")
    if support is not None:
        confine_calls(support)
    sys.argv[1:] = arguments
    command_line()


if __name__ == "__main__":
    main()
