"""The notebooks of the site: runs each, and keeps its output in it: `make notebooks`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent / "tutorials"
#: Variables of the kernel: figures are shown in their cell, whatever the caller draws with.
SETTINGS = {"TF_CPP_MIN_LOG_LEVEL": "3", "DO_NOT_TRACK": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}


def read(path: Path) -> Any:
    """A notebook as it is kept."""
    return nbformat.v4.reads(path.read_text("utf-8"))  # type: ignore[no-untyped-call]


def executed(path: Path, timeout: int = 900) -> Any:
    """The notebook at `path` with the output of a fresh run, in a folder of its own.

    Raises:
        CellExecutionError: A cell failed.
    """
    notebook = read(path)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=timeout, resources=resources, record_timing=False)
        client.execute(env=os.environ | SETTINGS)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _of_the_machine(output)]
    return notebook


def _of_the_machine(output: Any) -> bool:
    """Whether an output is a library's remark about the machine it runs on, or about a temporary folder."""
    return bool(output.get("name") == "stderr" or output.get("text", "").startswith("INFO:tensorflow"))


def main() -> None:
    """Run every notebook, or those that are named, and write it with its output."""
    for path in [FOLDER / f"{name}.ipynb" for name in sys.argv[1:]] or sorted(FOLDER.glob("*.ipynb")):
        notebook = executed(path)
        path.write_text(nbformat.v4.writes(notebook) + "\n", "utf-8")  # type: ignore[no-untyped-call]
        print(f"{path.name}: {path.stat().st_size / 1_000:.0f} kB")  # noqa: T201 - what was written


if __name__ == "__main__":
    main()
