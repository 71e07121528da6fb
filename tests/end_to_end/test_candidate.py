"""A candidate of `pitfalls export --candidate` beside a running server: in the dark, promoted, and taken back."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import pytest
from click.testing import Result

from tests.monitoring.rollout.two_bundles import SECTION as TRAINED
from tests.monitoring.rollout.two_bundles import two_bundles

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Run = Callable[..., Result]

LISTING = (
    'model_config_list {{ config {{ name: "flights" base_path: "{base}" model_platform: "tensorflow" '
    'model_version_policy {{ specific {{ versions: 1 }} }} version_labels {{ key: "stable" value: 1 }} }} }}'
)


class Served:
    """A running server, and what it says on stderr."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.said: list[str] = []
        self._lines = Thread(target=self.said.extend, args=(process.stderr,), daemon=True)
        self._lines.start()
        document = ""
        while not document.endswith("}\n"):
            line = process.stdout.readline()
            assert line, self.said
            document += line
        self.url = str(json.loads(document)["url"])

    def version(self, label: str = "") -> int:
        """Which version a request gets that names none, or a label."""
        path = f"/labels/{label}" if label else ""
        with urlopen(f"{self.url}/v1/models/flights{path}/metadata", timeout=30) as found:  # noqa: S310 - http
            return int(json.load(found)["model_spec"]["version"])

    def joined(self) -> list[str]:
        """What it said of defaults, once it has ended."""
        self._lines.join()
        return [line.strip() for line in self.said if "name no version" in line]


@contextmanager
def served(*flags: str) -> Iterator[Served]:
    command = [sys.executable, "-W", "ignore", "-m", "pitfalls_tf", "serve", *flags]
    command += ["--rest-port=0", "--grpc-port=0", "--json", "--poll-seconds=0.2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        server = Served(process)
        try:
            yield server
        finally:
            process.terminate()
            process.wait()


def config_of(world: Path, section: str) -> tuple[str, str]:
    """A deployment with version 1 and the candidate 2; the flags that name its config."""
    two_bundles(world, section)
    (world / "models/flights/2").rename(world / "models/flights/2.candidate")
    return "--config", str(world / "monitor.toml")


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


SECTION = "[rollout]\n[rollout.decide]\nguards = []\n"


def test_policy_label_and_default_go_to_the_candidate_and_back_in_one_step(pitfalls: Run, tmp_path: Path) -> None:
    file, models = tmp_path / "models.config", tmp_path / "world/models/flights"
    file.write_text(LISTING.format(base=models))
    before = file.read_text()
    config = config_of(tmp_path / "world", "")
    with served(f"--model_config_file={file}", "--model_config_file_poll_wait_seconds=1") as server:
        names = f'model_config_file = "{file}"\nserver = "{server.url}"\n'
        toml = Path(config[1])
        toml.write_text(toml.read_text() + SECTION.replace("[rollout]\n", f"[rollout]\n{names}", 1))
        assert "Version 2 answers 100%, in the dark" in done(
            pitfalls("rollout", "start", *config, "--once", "--no-plan")
        )
        assert (server.version(), server.version("stable")) == (1, 1)
        assert "in the dark" in done(pitfalls("rollout", "promote", *config, "--force"))
        assert (server.version(), server.version("stable"), (models / "2").is_dir()) == (2, 2, True)
        done(pitfalls("rollout", "rollback", *config))
        assert (server.version(), server.version("stable"), (models / "2.candidate").is_dir()) == (1, 1, True)
        assert file.read_text() == before
    versions = [f"Requests of flights that name no version get version {number}." for number in (1, 2, 1)]
    assert server.joined() == versions


def test_a_server_of_a_folder_takes_the_candidate_once_it_is_promoted(pitfalls: Run, tmp_path: Path) -> None:
    models = tmp_path / "world/models"
    config = config_of(tmp_path / "world", "")
    with served(f"--models={models}") as server:
        toml = Path(config[1])
        toml.write_text(toml.read_text() + SECTION.replace("[rollout]\n", f'[rollout]\nserver = "{server.url}"\n', 1))
        done(pitfalls("rollout", "start", *config, "--once", "--no-plan"))
        assert server.version() == 1
        done(pitfalls("rollout", "promote", *config, "--force"))
        assert server.version() == 2
        done(pitfalls("rollout", "rollback", *config))
        assert server.version() == 1
    assert [line[-2] for line in server.joined()] == ["1", "2", "1"]


PAGE = Path(__file__).parents[2] / "docs/rollout.md"


def test_the_commands_of_the_page_on_releases_run_in_their_order(tmp_path: Path) -> None:
    """All but the export, whose candidate is there: an equal one, which is not promoted without force."""
    export, *commands = re.findall(r"^ *\$ (.*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert export.startswith("pitfalls export")
    assert export.endswith("--trained-until 2026-05-01 --candidate")
    assert [command.split()[2] for command in commands] == ["plan", "replay", "start", "status", "promote", "rollback"]
    world = tmp_path / "world"
    config = Path(config_of(world, "")[1])

    def run(command: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "pitfalls_tf", *command.split()[1:]]
        return subprocess.run(line, cwd=world, capture_output=True, text=True, check=False)

    with served(f"--models={world / 'models'}") as server:
        config.write_text(config.read_text() + f'{TRAINED}server = "{server.url}"\n')
        for command in commands:
            if "promote" in command:
                refused = run(command)
                assert refused.returncode == 2
                assert "can't tell yet" in refused.stderr
                assert server.version() == 1
            # A rollout that is not ended by --once goes on until its verdict, and one without a verdict needs --force.
            more = {"start": " --once", "promote": " --force"}.get(command.split()[2], "")
            result = run(command + more)
            assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
            assert server.version() == (2 if "promote" in command else 1)
