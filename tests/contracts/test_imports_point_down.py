"""Who may import whom, and what must not be loaded until it is needed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pyarrow.parquet as pq

from tests.contracts.conftest import Nodes
from tests.own_table import own_rows
from tests.small_deployment import FIRST, Days

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


def imported(inside: Iterable[ast.AST]) -> set[str]:
    """Top-level names that a file of some nodes imports anywhere, inside functions too."""
    names: set[str] = set()
    for node in inside:
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


def test_a_package_imports_itself_and_what_is_below(nodes: Nodes) -> None:
    upward = {name: imported(inside) & (BELOW.keys() - BELOW[name.split("/")[0]]) for name, inside in nodes.items()}
    assert not {name: names for name, names in upward.items() if names}


def test_importing_monitoring_and_serving_loads_no_framework() -> None:
    assert not loaded_after("import monitoring, serving") & HEAVY


def test_importing_any_module_of_theirs_loads_no_framework(modules: dict[str, Path]) -> None:
    names = {dotted(name) for name in modules if not name.startswith("pitfalls_tf/")} - FRAMEWORK_MODULES
    importable = {name for name in names if not name.endswith("__main__") and ".migrations" not in name}
    assert not loaded_after("\n".join(f"import {name}" for name in sorted(importable))) & HEAVY


def test_acting_on_a_rollout_loads_nothing_that_judges() -> None:
    verbs = ("promote", "rollback", "stop", "status")
    loaded = loaded_after("\n".join(f"import pitfalls_tf.cli.rollout.{verb}" for verb in verbs))
    assert "sqlalchemy" in loaded
    assert not loaded & (HEAVY | {"pandas", "scipy"})


def test_adopting_a_table_loads_no_store() -> None:
    modules = ("pitfalls_tf.cli.monitor.init", "monitoring.onboarding.init", "monitoring.onboarding.smallest_harm")
    loaded = loaded_after("\n".join(f"import {name}" for name in modules))
    assert {"pydantic", "scipy"} <= loaded
    assert not loaded & (HEAVY | {"sqlalchemy"})


def test_asking_for_help_loads_nothing_heavy() -> None:
    assert not loaded_after(ASK_FOR_HELP) & NOT_FOR_HELP


def test_a_table_is_adopted_and_judged_without_any_framework(tmp_path: Path) -> None:
    """TFDV's native module checks the schema; its package, which brings TensorFlow and Beam, is not imported."""
    pq.write_table(own_rows(Days(days=30, start=FIRST, seed=1)), tmp_path / "reference.parquet")
    pq.write_table(own_rows(Days(days=3, start=FIRST + timedelta(days=40), seed=2)), tmp_path / "live.parquet")
    columns = [
        "--event-time",
        "ts",
        "--score",
        "on_time,late",
        "--label",
        "y",
        "--label-time",
        "known_at",
        "--prediction-id",
        "id",
    ]
    init = ["monitor", "init", "--reference", str(tmp_path / "reference.parquet"), *columns, "--out", str(tmp_path)]
    run = ["monitor", "run", "--config", str(tmp_path / "monitor.toml"), "--traffic", str(tmp_path / "live.parquet")]
    program = f"""
from pitfalls_tf.cli import pitfalls
pitfalls({init}, standalone_mode=False)
pitfalls({run}, standalone_mode=False)
"""
    loaded = loaded_after(program)
    assert {"pyarrow", "tensorflow_metadata"} <= loaded, "the windows were judged, by the schema too"
    assert not loaded & (HEAVY - {"tensorflow_data_validation"})


def test_the_probe_would_notice() -> None:
    assert "numpy" in loaded_after("import numpy")
