"""With the list of operations off, the kernel keeps hostile models from files, connections and programs."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from serving.confinement.confinement import Support
from tests.serving.hostile_models import HOSTILE
from tests.serving.server_process import serving

if TYPE_CHECKING:
    from tests.serving.server_process import ServerProcess

pytestmark = pytest.mark.skipif(not Support.of_this_machine().is_whole, reason="this kernel confines no process")

DENIED = "Permission denied"
TOKENS = "predict-token-{0:032d} predict,labels client\n"


def post(server: ServerProcess, path: str, body: object, token: str = "") -> tuple[int, str]:
    """The status and the text of the answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = Request(f"http://{server.http_target}{path}", json.dumps(body).encode(), headers)
    try:
        with urlopen(request, timeout=60) as response:  # noqa: S310 - loopback
            return response.status, response.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def predict(server: ServerProcess, model: str, value: object) -> str:
    return post(server, f"/v1/models/{model}:predict", {"inputs": value})[1]


def test_hostile_models_reach_no_file(tmp_path: Path) -> None:
    secret, tokens, models = tmp_path / "secret", tmp_path / "tokens", tmp_path / "models"
    secret.write_text("planted\n")
    tokens.touch(0o600)
    tokens.write_text(TOKENS.format(1))
    for name, make in HOSTILE.items():
        make(models / name / "1", file=secret)
    (models / "linked_asset" / "1" / "README").symlink_to(secret)  # a version with links, which is refused
    log = tmp_path / "traffic"
    flags = ["--allow-any-op", "--confine", "required", "--traffic", str(log), "--token-file", str(tokens)]
    with serving(models, *flags) as server:
        assert any("files (Landlock" in line for line in server.said)
        assert "planted" not in predict(server, "linked_asset", "a")
        for name in ("gradient_reads", "plain_read"):
            for path in (secret, tokens, "/etc/passwd", "/proc/self/environ", Path.home() / ".bashrc"):
                answer = predict(server, name, str(path))
                assert DENIED in answer or "No such file" in answer, (name, path)
            assert DENIED in predict(server, name, str(secret))
        for name in ("gradient_writes", "plain_write"):
            assert DENIED in predict(server, name, str(tmp_path / "made"))
        assert DENIED in predict(server, "empty_name", "")
        assert DENIED in predict(server, "bound_print", "a client's text")
        assert secret.read_text() == "planted\n"
        assert not list(tmp_path.glob("made*"))
        # What the server reads again, it reads: the process outside opens it.
        tokens.write_text(TOKENS.format(2))
        token = TOKENS.format(2).split()[0]
        while (status := post(server, "/monitor/labels", {}, token)[0]) == 401:  # it looks at the file once a second
            assert server.popen.poll() is None
        assert status == 400
        server.popen.send_signal(signal.SIGTERM)
        assert server.popen.wait(60) == 0


def test_an_honest_server_loads_new_versions_and_logs(models_folder: Path, tmp_path: Path) -> None:
    models, releases = tmp_path / "models", tmp_path / "releases"
    shutil.copytree(models_folder / "half_plus_two" / "00000123", releases / "1")
    (models / "m").mkdir(parents=True)
    (models / "m" / "1").symlink_to(releases / "1")
    log = tmp_path / "traffic"
    with serving(models, "--confine", "required", "--traffic", str(log), "--workers", "2") as server:
        assert json.loads(predict(server, "m", [2.0]))["outputs"] == [3.0]
        shutil.copytree(models_folder / "half_plus_three" / "1", releases / "2")
        (models / "m" / "2").symlink_to(releases / "2")
        while json.loads(predict(server, "m", [2.0]))["outputs"] != [4.0]:
            assert server.popen.poll() is None
        server.popen.send_signal(signal.SIGTERM)
        assert server.popen.wait(60) == 0
    assert list(log.rglob("*.parquet"))


def test_a_server_that_is_told_nothing_confines_itself_and_says_why_a_folder_elsewhere_is_not_read(
    models_folder: Path, tmp_path: Path
) -> None:
    first, elsewhere, file = tmp_path / "first", tmp_path / "elsewhere", tmp_path / "models.config"
    for folder in (first, elsewhere):
        shutil.copytree(models_folder / "half_plus_two" / "00000123", folder / "1")
    entry = 'config { name: "%s" base_path: "%s" model_platform: "tensorflow" }'
    file.write_text(f"model_config_list {{ {entry % ('a', first)} }}")
    with serving(None, "--model_config_file", str(file)) as server:
        assert any(line.startswith("Confined to what it needs: ") for line in server.said)
        assert json.loads(predict(server, "a", [2.0]))["outputs"] == [3.0]
        more = " ".join(entry % pair for pair in (("a", first), ("b", elsewhere)))
        file.write_text(f"model_config_list {{ {more} }}")
        server.popen.send_signal(signal.SIGHUP)
        while not any("see --confine" in line for line in server.said):
            assert server.popen.poll() is None
        assert json.loads(predict(server, "a", [2.0]))["outputs"] == [3.0]
