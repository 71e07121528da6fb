"""Clients that others wrote, each run as its user would run it, in an environment without this package."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.needs import missing
from tests.serving.server_process import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving.server_process import ServerProcess

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def outside_python(pytestconfig: pytest.Config) -> Path:
    """An interpreter that has the clients and nothing of ours; made once, until their versions change."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = Path(pytestconfig.cache.mkdir("outside-clients")) / digest
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        uv = str(Path(sys.executable).with_name("uv"))
        shutil.rmtree(folder, ignore_errors=True)
        for command in (
            [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(REQUIREMENTS)],
        ):
            if (done := subprocess.run(command, capture_output=True, text=True, check=False)).returncode:
                missing(f"The clients cannot be installed here: {done.stderr[-300:]}")
        (folder / "complete").touch()
    return python


TOKEN = "a-token-of-the-test"


@pytest.fixture(scope="module")
def server(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text(f"{TOKEN} reload deploy\n")
    tokens.chmod(0o600)
    with serving(models_folder, "--allow-reload", f"--token-file={tokens}") as process:
        yield process


def said(python: Path, script: str, *arguments: str) -> Any:
    done = subprocess.run([python, HERE / script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_tritonclient(outside_python: Path, server: ServerProcess) -> None:
    found = said(outside_python, "triton_user.py", server.http_target)
    types = found.pop("types")
    assert [name for name, is_same in types.items() if not is_same] == []
    assert len(types) == 46
    assert found == {
        "live": True,
        "ready": True,
        "model_ready": True,
        "nobody_ready": False,
        "server": "pitfalls",
        "metadata": [{"name": "y", "datatype": "FP32", "shape": [-1]}],
        "index": ["dense4", "half_plus_three", "half_plus_two", "named", "strs", "typed"],
        "plain": [[2.5, 3.0], "mine"],
        "squeezed": [2.5, 3.0],
        "later": [2.5, 3.0],
        "empty": [0, 3],
        "refusals": [["404", True], ["404", True], ["400", True], ["400", True], ["401", True]],
        "at_once": [2.0 + number / 2 for number in range(20)],
    }


def test_tritonclient_over_grpc(outside_python: Path, server: ServerProcess) -> None:
    found = said(outside_python, "triton_grpc_user.py", server.grpc_target, TOKEN)
    types = found.pop("types")
    assert [name for name, is_same in types.items() if not is_same] == []
    assert len(types) == 12
    rows, runs = found.pop("statistics")
    assert rows >= runs >= 1
    codes = ["NOT_FOUND"] * 2 + ["INVALID_ARGUMENT"] * 2 + ["NOT_FOUND", "UNAUTHENTICATED", "NOT_FOUND"]
    assert found == {
        "live": True,
        "ready": True,
        "model_ready": [True, False],
        "server": "pitfalls",
        "metadata": [{"name": "y", "datatype": "FP32", "shape": ["-1"]}],
        "config": [1024, [{"name": "feat", "data_type": "TYPE_FP32", "dims": ["4"]}], []],
        "index": ["dense4", "half_plus_three", "half_plus_two", "named", "strs", "typed"],
        "plain": [[2.5, 3.0], "mine"],
        "empty": [0, 3],
        "refusals": [[f"StatusCode.{code}", True] for code in (*codes, "INVALID_ARGUMENT", "UNIMPLEMENTED")],
        "at_once": [2.0 + number / 2 for number in range(20)],
        "switched": [True, False, "UNAVAILABLE", True, True],
    }


def test_kserve(outside_python: Path, server: ServerProcess) -> None:
    found = said(outside_python, "kserve_user.py", server.grpc_target, f"http://{server.http_target}")
    types = found["grpc"].pop("types")
    assert [name for name, is_same in types.items() if not is_same] == []
    assert found == {
        "grpc": {
            "health": [True, True],
            "model": True,
            "infer raw False": ["mine", "half_plus_two", [2.5, 3.0]],
            "infer raw True": ["mine", "half_plus_two", [2.5, 3.0]],
            "nobody": "NOT_FOUND",
        },
        "rest": [True, [2.5, 3.0]],
    }


def test_ovmsclient(outside_python: Path, server: ServerProcess) -> None:
    found = said(outside_python, "ovms_user.py", server.grpc_target, server.http_target)
    answers = {"predict": [2.5, 3.0], "status": {"123": "AVAILABLE"}, "several": {"isum": [3], "fx2": [[2.0, 4.0]]}}
    assert found.pop("metadata") == ["123", ["x"], ["y"]]
    assert found.pop("refusals") == ["ModelNotFoundError"] * 2
    assert found == {f"{way} {what}": answers for way in ("grpc", "http") for what in ("default", "explicit")}


def test_grpclib(outside_python: Path, server: ServerProcess) -> None:
    host, port = server.grpc_target.split(":")
    found = said(outside_python, "grpclib_user.py", host, port)
    now, earlier = found.pop("services")
    assert now == earlier
    assert {"tensorflow.serving.PredictionService", "inference.GRPCInferenceService", "grpc.health.v1.Health"} <= {*now}
    assert found == {
        "plain": [2.5, 3.0],
        "at_once": True,
        "large": True,
        "codes": ["NOT_FOUND", "UNIMPLEMENTED", "TIMEOUT"],
        "health": 1,
    }


@pytest.fixture(scope="module")
def node_packages(pytestconfig: pytest.Config) -> Path:
    """A folder with gRPC's client for Node; made once, until its version changes."""
    if shutil.which("npm") is None:
        missing("Node is not installed (apt-get install nodejs npm)")
    wanted = HERE / "package.json"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()[:12]
    folder = Path(pytestconfig.cache.mkdir("outside-clients")) / f"node-{digest}"
    if not (folder / "complete").exists():
        folder.mkdir(exist_ok=True)
        shutil.copy(wanted, folder)
        npm = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        if (done := subprocess.run(npm, cwd=folder, capture_output=True, text=True, check=False)).returncode:
            missing(f"The client for Node cannot be installed here: {done.stderr[-300:]}")
        (folder / "complete").touch()
    return folder


def descriptors_of(target: str, *services: str) -> bytes:
    """The files of messages that services need, as the server's reflection gives them."""
    files: dict[str, FileDescriptorProto] = {}
    with grpc.insecure_channel(target) as channel:
        server = ProtoReflectionDescriptorDatabase(channel)

        def add(file: FileDescriptorProto) -> None:
            for name in file.dependency:
                if name not in files:
                    add(server.FindFileByName(name))
            files.setdefault(file.name, file)

        for service in services:
            add(server.FindFileContainingSymbol(service))
    return FileDescriptorSet(file=files.values()).SerializeToString()


def test_node(node_packages: Path, server: ServerProcess, tmp_path: Path) -> None:
    names = ("tensorflow.serving.PredictionService", "tensorflow.serving.ModelService", "grpc.health.v1.Health")
    (tmp_path / "descriptors").write_bytes(descriptors_of(server.grpc_target, *names))
    command = ["node", str(HERE / "node_user.js"), server.grpc_target, str(tmp_path / "descriptors")]
    done = subprocess.run(command, cwd=node_packages, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "plain": [2.5, 3],
        "gzip": 1000,
        "at_once": True,
        "large": True,
        "codes": ["NOT_FOUND", "DEADLINE_EXCEEDED"],
        "status": [[123, "AVAILABLE"]],
        "health": "SERVING",
    }
