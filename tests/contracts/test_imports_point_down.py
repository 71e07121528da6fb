"""Who may import whom, and what must not be loaded until it is needed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path, PurePosixPath

BELOW = {
    "monitoring": {"monitoring"},
    "serving": {"serving", "monitoring"},
    "pitfalls_tf": {"pitfalls_tf", "serving", "monitoring"},
}
HEAVY = {
    "tensorflow",
    "keras",
    "tensorflow_data_validation",
    "apache_beam",
    "evidently",
    "matplotlib",
    "plotly",
    "sklearn",
}
NOT_FOR_HELP = HEAVY | {"httpx", "numpy", "orjson", "pandas", "pyarrow", "pydantic", "rich", "sqlalchemy", "uvicorn"}

# Modules of monitoring and serving whose whole job is a framework, and which others import inside functions only.
FRAMEWORK_MODULES: set[str] = set()

ASK_FOR_HELP = """
from pitfalls_tf.cli import pitfalls
pitfalls(["--help"], prog_name="pitfalls", standalone_mode=False)
"""


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports anywhere, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


def loaded_after(program: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after running `program`."""
    report = (
        "import json, sys\nprint(json.dumps(sorted({name.split('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{report}"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def dotted(name: str) -> str:
    """The module's name for an import statement, from its path in the checkout."""
    return ".".join(PurePosixPath(name).with_suffix("").parts).removesuffix(".__init__")


def test_a_package_imports_itself_and_what_is_below(modules: dict[str, Path]) -> None:
    upward = {name: imported(path) & (BELOW.keys() - BELOW[name.split("/")[0]]) for name, path in modules.items()}
    assert not {name: names for name, names in upward.items() if names}


def test_every_contract_of_import_linter_is_kept(root: Path) -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_monitoring_and_serving_loads_no_framework() -> None:
    assert not loaded_after("import monitoring, serving") & HEAVY


def test_importing_any_module_of_theirs_loads_no_framework(modules: dict[str, Path]) -> None:
    names = {dotted(name) for name in modules if not name.startswith("pitfalls_tf/")} - FRAMEWORK_MODULES
    importable = {name for name in names if not name.endswith("__main__") and ".migrations" not in name}
    assert not loaded_after("\n".join(f"import {name}" for name in sorted(importable))) & HEAVY


def test_asking_for_help_loads_nothing_heavy() -> None:
    assert not loaded_after(ASK_FOR_HELP) & NOT_FOR_HELP


def test_the_probe_would_notice() -> None:
    assert "numpy" in loaded_after("import numpy")
