"""``pitfalls labels plan``: what a budget promises, before anybody labels anything."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.pitfalls_tf.cli.small_log import run
from tests.small_deployment import CONFIG, Days, bundle, deploy, deployed, send

__all__ = ["bundle", "deploy", "deployed", "send"]


def test_it_says_how_soon_harm_is_told(deployed: Path) -> None:
    config = deployed / "monitor.toml"
    config.write_text(CONFIG + '[labels]\nbudget = "50 per week"\n')
    document = json.loads(run("labels", "plan", "--config", config, "--json").stdout)
    assert document["budget"] == "50 per week"
    assert [each["rise"] for each in document["promises"]] == [0.05, 0.1, 0.2]
    more = json.loads(run("labels", "plan", "--config", config, "--budget", "40 per day", "--json").stdout)
    assert more["promises"][2]["weeks"] < document["promises"][2]["weeks"]
    assert run("labels", "plan", "--config", config).stdout.startswith(
        "At 50 per week, a lasting rise of the error rate"
    )


def test_it_says_whose_reference_it_is_that_of_the_version_that_answers(
    deployed: Path, bundle: Path, send: Callable[..., None]
) -> None:
    config = deployed / "monitor.toml"
    config.write_text(CONFIG + '[labels]\nbudget = "50 per week"\n')
    (deployed / "models").unlink()
    for version in ("1", "2"):
        shutil.copytree(bundle / "models" / "flights" / "1", deployed / "models" / "flights" / version)
    done = run("labels", "plan", "--config", config)
    assert done.stdout.splitlines()[-1] == "Simulated with the reference of flights, version 2."
    send(deployed, Days(days=2), labels=False)
    assert json.loads(run("labels", "plan", "--config", config, "--json").stdout)["version"] == 1


def test_wrong_input_is_one_message(deployed: Path) -> None:
    config = deployed / "monitor.toml"
    for arguments, message in [
        ((), "There is no budget of labels."),
        (("--budget", "many"), "--budget is not a budget of labels."),
    ]:
        done = run("labels", "plan", "--config", config, *arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert message in done.stderr
