"""TensorFlow without what a server does not need, while other threads import what they need."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, threading
from serving.models.lean_import import lean_imports

failures = []

def imports():
    try:
        import scipy, pandas
    except BaseException as error:
        failures.append(error)

other = threading.Thread(target=imports)
with lean_imports():
    other.start()
    import tensorflow
    other.join()
print(failures, "keras" in sys.modules, "sklearn" in sys.modules, "pandas" in sys.modules)
import keras
print(tensorflow.keras.layers.Dense is keras.layers.Dense)
"""


def test_only_the_thread_that_imports_tensorflow_goes_without() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[] False False True", "True"]
