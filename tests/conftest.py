"""What every test may rely on: a quiet process, a closed network, steady examples, the command line as a fixture."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from click.testing import CliRunner
from xdist.scheduler import LoadScopeScheduling

from pitfalls_tf.cli import ENVIRONMENT, JOB_ENVIRONMENT, pitfalls
from pitfalls_tf.fitting.arithmetic import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    import numpy as np
    from click.testing import Result
    from xdist.remote import Producer

for name, value in {**ENVIRONMENT, **JOB_ENVIRONMENT, "MPLBACKEND": "Agg"}.items():
    os.environ.setdefault(name, value)

if "PITFALLS_TESTS_STATE" not in os.environ:  # processes of a run share it; what is remembered there ends with the run
    os.environ["PITFALLS_TESTS_STATE"] = os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="pitfalls-tests-")
    atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)

# The same examples everywhere and no clock, so that a test which passes here passes there. `make test-all` takes three
# times as many. To search further: HYPOTHESIS_PROFILE=explore make test
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, max_examples=33)
hypothesis.settings.register_profile("thorough", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")  # noqa: S104 - compared with, not bound to


def _stay_on_this_machine(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook: a test that reaches for the network is wrong, and says so wherever it happens."""
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            raise RuntimeError(f"A test tried to reach {address[0]}; tests stay on the loopback interface.")


sys.addaudithook(_stay_on_this_machine)


class FileScheduling(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Run in parallel, a file stays in one process, and so do all that share the walk of the demo."""

    def _split_scope(self, nodeid: str) -> str:
        where, _, _ = nodeid.partition("::")
        return "end_to_end" if "end_to_end" in Path(where).parts else where


gc.disable()  # while tests are collected: nothing of them is garbage


def pytest_collection_finish() -> None:
    """Collect garbage seldom, and have no collection look at modules and tests again: a tenth of a run."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileScheduling:
    """Marks (`--dist=loadgroup`) group nothing with pytest 9.2."""
    return FileScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Search a file of tests for doctests only where it has one: pytest looks at all that is in its modules."""
    collectors = yield
    if b">>> " in file_path.read_bytes():
        return collectors
    return [collector for collector in collectors if type(collector).__name__ != "DoctestModule"]


@pytest.fixture(name="pitfalls", scope="session")
def pitfalls_command() -> Callable[..., Result]:
    """Run the command line in this process: ``pitfalls("monitor", "run", "--json")`` gives click's Result."""

    def run(*arguments: str | os.PathLike[str]) -> Result:
        return CliRunner().invoke(pitfalls, [os.fspath(argument) for argument in arguments], prog_name="pitfalls")

    return run


#: Folders of tests that look at simulations, at how fits are kept, or at how a store is made.
AS_IT_IS = {"evidence", "fits", "store", "benchmarks", "end_to_end", "compatibility"}


@pytest.fixture(autouse=True, scope="module")
def _made_once(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fit a baseline once for all tests, simulate few harms, and migrate one new store, where these are not tested."""
    with pytest.MonkeyPatch.context() as patch:
        if not AS_IT_IS & set(request.path.relative_to(request.config.rootpath).parts):
            from tests.ready_tables import make_tables_at_once
            from tests.shared_fits import share_fits

            patch.setattr("monitoring.evidence.sensitivity.SIMULATIONS", 20)
            patch.setattr("monitoring.evidence.sensitivity.SIZES", (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0))
            make_tables_at_once(patch)
            base = tmp_path_factory.getbasetemp()
            share_fits(patch, (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "fits")
        yield


@pytest.fixture(autouse=True)
def _arithmetic_as_it_was() -> Iterator[None]:
    """A training pins the arithmetic of its process and of those that it starts; a test does not pin the next one's."""
    before = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    yield
    for name in VARIABLES:
        os.environ.pop(name, None)
    os.environ.update(before)


@pytest.fixture
def rng() -> np.random.Generator:
    """A random generator with a fixed seed, fresh for each test."""
    import numpy as np

    return np.random.default_rng(20_130_401)
