"""Known noise is dropped while frameworks load, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pitfalls_tf.cli.frameworks import load_frameworks

NOISY = """
import os, sys, types
from pitfalls_tf.cli.frameworks import load_frameworks
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "noisy_framework":
            os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\n")
            os.write(2, b"I0000 00:00:17.2 50 cudart_stub.cc:31] Could not find cuda drivers on your machine\\n")
            os.write(2, b"the model is broken\\n")
            {ending}
sys.meta_path.insert(0, Finder)
load_frameworks("noisy_framework")
"""


@pytest.mark.parametrize("ending", ["sys.modules[name] = types.ModuleType(name); sys.exit()", "os.abort()"])
def test_only_known_noise_is_dropped_even_if_native_code_aborts(ending: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOISY.replace("{ending}", ending)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == "the model is broken\n"


def test_stderr_is_itself_again_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    load_frameworks("json")
    sys.stderr.write("I0000 00:00:17.2 50 cudart_stub.cc:31] mine\n")
    assert capfd.readouterr().err == "I0000 00:00:17.2 50 cudart_stub.cc:31] mine\n"


def test_a_framework_that_is_not_installed_is_an_import_error() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_framework"):
        load_frameworks("no_such_framework")


def test_another_backend_is_set_aside(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    load_frameworks("keras")
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
    assert capsys.readouterr().err == "KERAS_BACKEND=jax has no effect: Keras runs on TensorFlow here.\n"
    load_frameworks("keras")
    assert capsys.readouterr().err == ""
