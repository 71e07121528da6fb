"""A label of a running server is moved back from the page of an incident."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from starlette.testclient import TestClient

from monitoring.config.files import ConfigFile
from monitoring.dashboard.stores.named_store import NamedStore
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.web.app import Changes, dashboard_app
from tests.dashboard_access import access_with
from tests.dashboard_store import NOW, make_store
from tests.monitoring.config.configs import LEAST, load
from tests.serving.conftest import models_folder  # noqa: F401 - a fixture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LISTING = (
    'model_config_list {{ config {{ name: "flights" base_path: "{base}" model_platform: "tensorflow" '
    'model_version_policy {{ all {{}} }} version_labels {{ key: "stable" value: 1 }} }} }}'
)
ANSWERS = {0: 2.5, 1: 3.5}


@contextmanager
def served(file: Path) -> Iterator[str]:
    """The REST address of a server of that file, which it reads again each second."""
    flags = ["--model_config_file_poll_wait_seconds=1", "--rest-port=0", "--grpc-port=0", "--json"]
    command = [sys.executable, "-W", "ignore", "-m", "pitfalls_tf", "serve", f"--model_config_file={file}", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            document = ""
            while not document.endswith("}\n"):
                line = process.stdout.readline()
                assert line, document
                document += line
            yield str(json.loads(document)["url"])
        finally:
            process.terminate()


def answer(server: str) -> float:
    """What the version at the label answers to 1."""
    body = Request(f"{server}/v1/models/flights/labels/stable:predict", data=b'{"instances": [1.0]}')  # noqa: S310 - http
    with urlopen(body, timeout=30) as found:  # noqa: S310 - as above
        return float(json.load(found)["predictions"][0])


def test_a_click_moves_the_label_back_and_a_second_one_does_nothing(tmp_path: Path, models_folder: Path) -> None:  # noqa: F811 - the fixture
    base = tmp_path / "flights"
    shutil.copytree(models_folder / "half_plus_two" / "00000123", base / "0")
    shutil.copytree(models_folder / "half_plus_three" / "1", base / "1")
    file = tmp_path / "models.config"
    file.write_text(LISTING.format(base=base))
    file.chmod(0o644)
    url = make_store(tmp_path / "pitfalls.db")
    with served(file) as server:
        assert answer(server) == ANSWERS[1]
        action = (
            f'[[action]]\nname = "Roll back"\nkind = "roll_back"\nmodel_config_file = "{file}"\nlabel = "stable"\n'
            f'server = "{server}"\n'
        )
        config = ConfigFile(path=tmp_path / "monitor.toml", config=load(tmp_path, LEAST + action))
        source = NamedStore(name="shop", url=url, files=(config,))
        stores = Stores(stores=(source,), files=(config,), clock=lambda: NOW)
        access = access_with({"secret": "act"})
        client = TestClient(dashboard_app(lambda: stores, access, Changes(stores.fingerprint)), follow_redirects=False)
        client.headers["authorization"] = "Bearer secret"
        page = "/d/shop/1/incidents/1"
        form = {"name": "Roll back", "by": "ada", "sure": "yes"}
        assert client.post(f"{page}/run", data=form).status_code == 303
        assert answer(server) == ANSWERS[0]
        assert file.stat().st_mode & 0o777 == 0o644, "the server's user still reads it"
        shown = client.get(page).text
        assert "ran: Roll back: done. The label stable of flights went from version 1 to version 0; the server" in shown
        assert client.post(f"{page}/run", data=form).status_code == 303
        assert "ran: Roll back: failed. The label does not name the version of this incident." in client.get(page).text
        assert answer(server) == ANSWERS[0]
        source.close()
