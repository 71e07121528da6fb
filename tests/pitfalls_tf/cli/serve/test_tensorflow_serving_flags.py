"""TensorFlow Serving's flags under their own names."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING

import click
import pytest

from pitfalls_tf.cli.serve import command
from tests.pitfalls_tf.cli.serve.parsed_flags import ParsedFlags

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result


def test_a_boolean_must_be_true_or_false() -> None:
    with pytest.raises(click.BadParameter, match="'maybe' is neither true nor false"):
        ParsedFlags("--enable_batching=maybe")


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ((), None),
        (("--enable_batching",), True),
        (("--enable_batching=true",), True),
        (("--enable_batching=1",), True),
        (("--enable_batching=False",), False),
        (("--enable_batching=0",), False),
    ],
)
def test_a_boolean_has_the_forms_of_tensorflow_serving(arguments: tuple[str, ...], value: bool | None) -> None:
    assert ParsedFlags(*arguments).tensorflow_serving.enable_batching is value


def test_every_flag_of_tensorflow_serving_is_in_the_reference(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs/reference/serving.md").read_text("utf-8")
    section = page.partition("\n## TensorFlow Serving's flags\n")[2].partition("\n## ")[0]
    table = set(re.findall(r"`--([a-z_]{2,})`", section))
    flags = {
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and any("_" in flag for flag in parameter.opts)
    } - {"op_libraries"}  # pitfalls' own, for what TensorFlow Serving is built with
    assert flags | {"port"} == table & (flags | {"port"})
    assert table <= flags | {"port", "workers", "models", "host", "traffic", "version"}


@pytest.mark.parametrize("flag", ["--version", "--version=true"])
def test_the_versions_are_shown_before_anything_else(pitfalls: Callable[..., Result], flag: str) -> None:
    result = pitfalls("serve", flag)
    own, tensorflow = result.stdout.splitlines()
    assert (result.exit_code, own) == (0, f"pitfalls {version('pitfalls-tf')}")
    assert tensorflow.startswith("TensorFlow 2.")


def test_flags_of_other_hardware_are_taken_and_googles_encryption_is_refused(pitfalls: Callable[..., Result]) -> None:
    result = pitfalls("serve", "--xla_gpu_compilation_enabled", "--skip_initialize_tpu=true", "--use_alts_credentials")
    assert (result.exit_code, "--use_alts_credentials is not supported" in result.stderr) == (2, True)
    result = pitfalls("serve", "--xla_gpu_compilation_enabled", "--skip_initialize_tpu=true")
    assert "--xla_gpu_compilation_enabled has no effect: graphs are not changed." in result.stderr
    assert "--skip_initialize_tpu has no effect: models run on CPUs and GPUs." in result.stderr
