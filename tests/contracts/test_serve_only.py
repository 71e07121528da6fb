"""requirements-serve.lock is enough for `pitfalls serve`: a server answers where no other library can be imported."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from packaging.utils import canonicalize_name

from tests.contracts.test_release import requirements

if TYPE_CHECKING:
    from configparser import RawConfigParser

#: What a server did without when the list was made: none of it may come back by another library's wish.
LEFT_OUT = {
    "alembic",
    "apache-beam",
    "evidently",
    "google-cloud-storage",
    "google-cloud-bigquery",
    "matplotlib",
    "pandas",
    "pydantic",
    "scikit-learn",
    "sqlalchemy",
    "tensorflow-data-validation",
    "tfx-bsl",
}

#: Refuses to import anything but the libraries of a list, then runs the command line.
SERVE = """
import importlib.abc, json, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in left_out or name.startswith("google.cloud"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

left_out = set(json.loads(sys.argv.pop(1)))
sys.meta_path.insert(0, Refuse())
from pitfalls_tf.cli import main
main()
"""


def pins(path: Path) -> dict[str, str]:
    """Every library of a lock, with its version."""
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", path.read_text("utf-8"), re.MULTILINE))


def test_a_server_needs_few_libraries_and_each_is_declared(root: Path, setup: RawConfigParser) -> None:
    declared = {canonicalize_name(one.name) for one in requirements(setup["options"]["install_requires"])}
    asked = {one.name for one in requirements((root / "requirements-serve.in").read_text("utf-8"))}
    # rich and setuptools are needed by others of the list: Keras, and TensorFlow's older parts.
    assert asked - declared <= {"rich", "setuptools"}
    served, all_of_them = pins(root / "requirements-serve.lock"), pins(root / "requirements.lock")
    assert asked <= served.keys()
    assert not LEFT_OUT & served.keys()
    assert len(served) < len(all_of_them) / 4
    assert {name: all_of_them.get(name) for name in served} == served, "run: make lock"


def test_a_monitor_needs_no_library_of_tests(root: Path, setup: RawConfigParser) -> None:
    monitored, all_of_them = pins(root / "requirements-monitor.lock"), pins(root / "requirements.lock")
    asked = requirements(setup["options"]["install_requires"])
    asked += requirements(setup["options.extras_require"]["postgresql"])
    assert {canonicalize_name(one.name) for one in asked} <= monitored.keys()
    assert not {"pytest", "mypy", "playwright", "hypothesis"} & monitored.keys()
    assert {name: all_of_them.get(name) for name in monitored} == monitored, "run: make lock"


@pytest.mark.slow
def test_a_server_answers_and_logs_without_the_other_libraries(root: Path, tmp_path: Path) -> None:
    from tests.serving.sums_model import load_sums

    load_sums(tmp_path / "models").close()
    served = set(pins(root / "requirements-serve.lock")) | {"pitfalls-tf"}
    others = [
        module
        for module, owners in packages_distributions().items()
        if not {canonicalize_name(owner) for owner in owners} & served and not module.startswith("_")
    ]
    assert {"evidently", "apache_beam", "pandas", "sqlalchemy"} <= set(others)
    command = ["--models", tmp_path / "models", "--traffic", tmp_path / "traffic", "--rest-port", "0", "--json"]
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, json.dumps(others), "serve", *map(str, command), "--grpc-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            text = ""
            while text.count("{") != text.count("}") or not text:
                line = server.stdout.readline()
                assert line, server.stderr and server.stderr.read()
                text += line
            url = json.loads(text)["url"]
            body = json.dumps({"signature_name": "fixed", "instances": [[1.0, 2.0]]}).encode()
            answer = httpx.post(f"{url}/v1/models/sums:predict", content=body, timeout=60)
            assert answer.json() == {"predictions": [3.0]}
        finally:
            server.terminate()
        said = server.communicate(timeout=60)[1]
    assert server.returncode == 0, said
    assert list((tmp_path / "traffic").rglob("*.parquet")), said
