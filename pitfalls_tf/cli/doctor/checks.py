"""The checks of `pitfalls doctor`: each looks at one thing, and says in one line what it saw."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitoring.distribution import DISTRIBUTIONS, installed
from monitoring.errors import PitfallsError
from monitoring.store.store import Store
from pitfalls_tf.cli.doctor.check import Check, CheckState

#: The libraries that every part needs.
LIBRARIES: Final = ("numpy", "pyarrow", "scipy", "pydantic", "sqlalchemy", "matplotlib")
#: What an optional library adds, by its distribution: its module, what it adds, and what installs it.
OPTIONAL: Final = {
    "tensorflow": ("tensorflow", "train, export, serve; vectors in the TensorFlow Serving log", "pitfalls-tf"),
    "keras": ("keras", "train, export, Keras files", "pitfalls-tf"),
    "tensorflow-data-validation": ("tensorflow_data_validation", "the schema of a baseline, its checks", "[tfdv]"),
    "evidently": ("evidently", "Evidently's drift report of a page's window", "[evidently]"),
    "pandas": ("pandas", "results as data frames", "pandas<3"),
    "psycopg": ("psycopg", "a store in PostgreSQL", "[postgresql]"),
    "apprise": ("apprise", "notifications to any service of Apprise", "[apprise]"),
    "py3langid": ("py3langid", "the language of texts as an input", "[language]"),
    "deltalake": ("deltalake", "tables of Delta Lake", "[delta]"),
    "pyiceberg": ("pyiceberg", "tables of Iceberg", "[iceberg]"),
    "duckdb": ("duckdb", "windows summed by DuckDB in SQL", "[sql]"),
    "pyspark": ("pyspark", "windows read by Spark", "[spark]"),
    "opentelemetry-sdk": ("opentelemetry.sdk", "traces", "[otel]"),
}
#: Extras of the light distribution; the complete one has these libraries itself.
ONLY_LIGHT: Final = ("[tfdv]", "[evidently]")
#: Seconds that an import may take, in a process of its own.
IMPORT_S: Final = 180
#: Bytes below which a folder has too little space for a store and a log.
LEAST_BYTES: Final = 100_000_000
ZONES: Final = ("UTC", "America/New_York", "Europe/Paris")


def all_checks(
    *, store: str | None, folders: Sequence[Path], ports: Sequence[int], is_quick: bool
) -> tuple[Check, ...]:
    """Run every check, in the order in which they are shown.

    Args:
        store: The URL of a store to open; None: one in a folder of its own is made and opened.
        folders: Folders to write in; none: the current one and the caches'.
        is_quick: Whether frameworks are looked for and not imported.

    Returns:
        The checks. Nothing is left behind; a store that is named is opened and not changed.
    """
    places = folders or (Path.cwd(), Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"))
    return (
        *_installation(),
        *(_library(name) for name in LIBRARIES),
        *(_optional(name, is_quick=is_quick) for name in OPTIONAL),
        *(_folder(place) for place in places),
        *(_port(port) for port in ports),
        _confinement(),
        _zones(),
        _store(store),
    )


def _installation() -> Iterator[Check]:
    group = "installation"
    for name in DISTRIBUTIONS:
        if installed(name):
            yield Check(group=group, name=name, state="ok", text=f"{version(name)} in {Path(__file__).parents[3]}")
    python = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Check(group=group, name="Python", state="ok", text=f"{python}, {sys.executable}")
    is_compiled = find_spec("monitoring.baseline._binning") is not None
    words = "compiled" if is_compiled else "not compiled: the same results, slower"
    yield Check(group=group, name="C module", state="ok" if is_compiled else "absent", text=words)


def _library(name: str) -> Check:
    try:
        return Check(group="libraries", name=name, state="ok", text=version(name))
    except PackageNotFoundError:
        return Check(group="libraries", name=name, state="wrong", text="not installed", fix=f"pip install {name}")


def _optional(name: str, *, is_quick: bool) -> Check:
    module, adds, place = OPTIONAL[name]
    group = "optional"
    try:
        installed_version = version(name)
    except PackageNotFoundError:
        is_light = installed(DISTRIBUTIONS[1]) and not installed(DISTRIBUTIONS[0])
        whole = not is_light and place in ONLY_LIGHT
        wanted = f"{DISTRIBUTIONS[1 if is_light else 0]}{'' if whole else place}" if place.startswith("[") else place
        return Check(group=group, name=name, state="absent", text=f"adds {adds}", fix=f"pip install '{wanted}'")
    if is_quick:
        return Check(group=group, name=name, state="ok", text=f"{installed_version}; {adds}")
    failure = _import_failure(module)
    if failure:
        return Check(
            group=group,
            name=name,
            state="wrong",
            text=f"{installed_version} cannot be imported: {failure}",
            fix=f"Reinstall {name}.",
        )
    return Check(group=group, name=name, state="ok", text=f"{installed_version}; {adds}")


def _import_failure(module: str) -> str:
    """The last line of an import that fails in a process of its own; empty for one that works."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", f"import {module}"], capture_output=True, text=True, check=False, timeout=IMPORT_S
        )
    except subprocess.TimeoutExpired:
        return f"nothing after {IMPORT_S} s"
    lines = done.stderr.strip().splitlines()
    return "" if done.returncode == 0 else (lines[-1][:300] if lines else f"it ended with {done.returncode}")


def _folder(place: Path) -> Check:
    """Whether a file can be written where a folder is, or where it would be made."""
    there = next((path for path in (place, *place.absolute().parents) if path.is_dir()), place)
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"pitfalls")
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Check(
            group="folders", name=_short(place), state="wrong", text=str(error), fix="Change its owner or its mode."
        )
    state: CheckState = "ok" if free >= LEAST_BYTES else "wrong"
    fix = "" if state == "ok" else "Free some space: a store needs 100 MB."
    return Check(group="folders", name=_short(place), state=state, text=f"writable, {free / 1e9:,.1f} GB free", fix=fix)


def _short(place: Path) -> str:
    text = str(place)
    return text if len(text) <= 22 else f"…{text[-21:]}"


def _port(port: int) -> Check:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            words = f"{error.strerror}; something listens there, or this user may not"
            return Check(group="ports", name=str(port), state="absent", text=words, fix="Give another port.")
    return Check(group="ports", name=str(port), state="ok", text="free")


def _confinement() -> Check:
    """What the kernel can keep a server's graphs from."""
    try:
        from serving.confinement.confinement import Support  # noqa: PLC0415 - the light distribution has no server
    except ImportError:
        return Check(group="server", name="confinement", state="absent", text="no server in this distribution")
    support = Support.of_this_machine()
    parts = ", ".join(support.parts()) or "nothing"
    text = f"serve --confine can confine {parts}"
    missing = support.missing()
    fix = "" if not missing else f"{'; '.join(missing)}."
    return Check(group="server", name="confinement", state="absent" if missing else "ok", text=text, fix=fix)


def _zones() -> Check:
    try:
        for name in ZONES:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        return Check(
            group="data", name="time zones", state="wrong", text=str(error), fix="pip install tzdata, or your system's."
        )
    return Check(group="data", name="time zones", state="ok", text=f"{', '.join(ZONES)} and others")


def _store(url: str | None) -> Check:
    with tempfile.TemporaryDirectory(prefix="pitfalls-doctor-") as scratch:
        try:
            with Store.open(url or f"sqlite:///{scratch}/pitfalls.db", make=url is None):
                pass
        except PitfallsError as error:
            return Check(group="data", name="store", state="wrong", text=f"{error.what} {error.got}", fix=error.fix)
    shown = "opened" if url else "SQLite: made, opened and removed"
    return Check(group="data", name="store", state="ok", text=shown)
