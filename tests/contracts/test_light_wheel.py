"""The light distribution: its wheel watches tables where there is no TensorFlow, TFDV or Evidently."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from types import ModuleType

import pyarrow.parquet as pq
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

#: What the light distribution does not need, by the beginning of a name in site-packages.
ABSENT = (
    "tensorflow",
    "keras",
    "tfx_bsl",
    "evidently",
    "apache_beam",
    "pitfalls_tf",
    "__editable__",
    "h5py",
    "grpc",
    "google",
    "pandas",
    "uvloop",
)

MAKE_TABLES = """
import numpy as np, pandas as pd
rng = np.random.default_rng(3)
def days(first, count, broken):
    n = count * 100
    ts = pd.Timestamp(first, tz="UTC") + pd.to_timedelta(np.arange(n) * 864, unit="s")
    p = rng.uniform(0.05, 0.95, n)
    truth = np.where(ts >= pd.Timestamp(broken, tz="UTC"), 1 - p, p)
    return pd.DataFrame({"ts": ts, "x": rng.normal(size=n), "p": p, "y": (rng.random(n) < truth).astype(int)})
days("2026-01-01", 40, "2100-01-01").to_parquet("reference.parquet")
days("2026-02-10", 14, "2026-02-18").to_parquet("live.parquet")
"""


@pytest.fixture(scope="module")
def release(root: Path) -> ModuleType:
    """The script of `make release`."""
    spec = importlib.util.spec_from_file_location("release", root / ".ci" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command: str | Path, cwd: Path, allowed: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run a command, and show its lines where it ends in another way than allowed."""
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode in allowed, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def complete(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The complete tree as it is, without what was compiled."""
    source = tmp_path_factory.mktemp("complete") / "tree"
    source.mkdir()
    for name in ("monitoring", "serving", "pitfalls_tf"):
        shutil.copytree(root / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for path in root.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    return source


@pytest.fixture(scope="module")
def light(complete: Path, release: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the light distribution."""
    source = tmp_path_factory.mktemp("light") / "tree"
    shutil.copytree(complete, source)
    release.lighten(source)
    return source


def built(source: Path, out: Path, *, pure: bool = False) -> Path:
    """A wheel of a tree."""
    command = (sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(out), str(source))
    settings = os.environ | {"PITFALLS_PURE": "1" if pure else ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=settings)
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(source / "build")
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(light: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The light wheel with the module in C."""
    return built(light, tmp_path_factory.mktemp("light-wheel"))


def install(environment: Path, *wheels: Path) -> None:
    """Install wheels, whatever is there, without a registry."""
    pip = (environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps")
    run(*pip, "--force-reinstall", *wheels, cwd=environment)


@pytest.fixture
def environment(wheel: Path, tmp_path: Path) -> Path:
    """An environment with the wheel, and of this one's libraries those that the light distribution may have."""
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=True, clear=True)
    install(folder, wheel)
    few = folder / "few"
    few.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(ABSENT) and path.suffix != ".pth":
            (few / path.name).symlink_to(path)
    (libraries,) = (folder / "lib").glob("python*/site-packages")
    (libraries / "libraries.pth").write_text(f"{few}\n", "utf-8")
    return folder


def watched(environment: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Make tables in a new folder, a monitor of them, and judge the live one."""
    folder.mkdir()
    run(sys.executable, "-c", MAKE_TABLES, cwd=folder)
    pitfalls = environment / "bin" / "pitfalls"
    columns = ("--event-time", "ts", "--score", "p", "--label", "y", "--out", "watched", "--min-rows", "50")
    made = run(pitfalls, "monitor", "init", "--reference", "reference.parquet", *columns, cwd=folder)
    assert "pitfalls-tf-monitor[tfdv]" in made.stdout + made.stderr
    command = (pitfalls, "monitor", "run", "--config", "watched/monitor.toml", "--traffic", "live.parquet")
    return run(*command, cwd=folder, allowed=(1,))


def test_it_holds_monitoring_and_its_verbs_and_needs_no_framework(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith("/METADATA"))
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"monitoring", "pitfalls_tf"}
    assert not [name for name in names if name.startswith("pitfalls_tf/") and not name.startswith("pitfalls_tf/cli/")][
        2:
    ]
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert not [line for line in needed if any(word in line for word in ("tensorflow", "keras", "evidently", "tfx"))]
    assert "Provides-Extra: tfdv" in metadata
    assert "Provides-Extra: evidently" in metadata


def test_a_table_is_watched_from_the_first_command_to_the_page(environment: Path, tmp_path: Path) -> None:
    judged = watched(environment, tmp_path / "own")
    assert "page" in judged.stdout
    config = ("--config", "own/watched/monitor.toml")
    report = ("monitor", "report", *config, "--traffic", "own/live.parquet", "--out", "report")
    written = run(environment / "bin" / "pitfalls", *report, cwd=tmp_path)
    assert "Evidently is not installed" in written.stderr
    assert (tmp_path / "report" / "report.html").stat().st_size > 10_000
    refused = run(environment / "bin" / "pitfalls", *report, "--drift", cwd=tmp_path, allowed=(3,))
    assert "pip install 'pitfalls-tf-monitor[evidently]'" in refused.stderr
    assert "Traceback" not in refused.stderr
    frame = "from monitoring import Monitor; Monitor.open('own/watched').to_pandas()"
    refused = run(environment / "bin" / "python", "-c", frame, cwd=tmp_path, allowed=(1,))
    assert "A data frame needs pandas" in refused.stderr


def test_the_wheel_without_c_gives_the_same_scores_to_the_bit(light: Path, environment: Path, tmp_path: Path) -> None:
    compiled = "from monitoring.baseline import binning; print(binning.compiled is not None)"
    scores = []
    for pure in (False, True):
        if pure:
            install(environment, built(light, tmp_path / "pure", pure=True))
        has_c = run(environment / "bin" / "python", "-c", compiled, cwd=tmp_path).stdout.strip()
        assert has_c == str(not pure)
        folder = tmp_path / f"pure-{pure}"
        watched(environment, folder)
        export = ("monitor", "export", "--config", "watched/monitor.toml", "--to", "scores.parquet")
        run(environment / "bin" / "pitfalls", *export, cwd=folder)
        scores.append(pq.read_table(folder / "scores.parquet"))
    assert scores[0].num_rows > 100
    assert scores[0].equals(scores[1])


def test_the_complete_wheel_goes_over_the_light_one_and_takes_its_monitor_along(
    complete: Path, environment: Path, tmp_path: Path
) -> None:
    watched(environment, tmp_path / "own")
    install(environment, built(complete, tmp_path / "wheel"))
    (libraries,) = (environment / "lib").glob("python*/site-packages")
    (libraries / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    pitfalls = environment / "bin" / "pitfalls"
    assert "rest-port" in run(pitfalls, "serve", "--help", cwd=tmp_path).stdout
    status = run(
        pitfalls, "monitor", "status", "--config", "own/watched/monitor.toml", "--json", cwd=tmp_path, allowed=(1,)
    )
    assert json.loads(status.stdout)["windows"]


def test_what_is_not_in_it_says_what_to_install(environment: Path, tmp_path: Path) -> None:
    pitfalls = environment / "bin" / "pitfalls"
    assert run(pitfalls, "--version", cwd=tmp_path).stdout.startswith("pitfalls ")
    refused = run(pitfalls, "serve", "--models", "models", cwd=tmp_path, allowed=(3,))
    assert "pip install pitfalls-tf" in refused.stderr
    assert "Traceback" not in refused.stderr
    doctor = run(pitfalls, "doctor", "--quick", cwd=tmp_path)
    assert "pip install 'pitfalls-tf-monitor[evidently]'" in doctor.stdout
