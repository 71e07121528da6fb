"""Instructions of the processor in eight commands and steps on fixed inputs, beside those of the base; no times.

``python -m benchmarks.instructions [NAME…]`` counts and compares; ``--accept`` makes the counts the new base.
valgrind counts, on a processor that it emulates: counts of one build of Python and its libraries vary by a hundredth.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.instruction_scenarios import SCENARIOS
from benchmarks.results import Result, Settings, Table
from monitoring.errors import CannotRun
from pitfalls_tf.cli import ENVIRONMENT, JOB_ENVIRONMENT

BASE = Path(__file__).with_suffix(".toml")

#: How far a count may be from its base, as a share of that.
TOLERANCE = 0.05

ACCEPT = "python -m benchmarks.instructions --accept"

#: Libraries whose build decides counts.
LIBRARIES = ("numpy", "pyarrow", "pydantic", "scipy", "sqlalchemy")

_SIMD = "import numpy._core._multiarray_umath as m; print(*sorted(k for k, v in m.__cpu_features__.items() if v))"


def valgrind() -> str | None:
    """The program that counts; None where it is not installed."""
    return shutil.which("valgrind")


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Variables of a process that is counted: one thread, hashes that stay, bytecode kept."""
    fixed = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    variables = {**os.environ, **ENVIRONMENT, **JOB_ENVIRONMENT, **fixed, **more}
    return {name: value for name, value in variables.items() if name != "PYTHONDONTWRITEBYTECODE"}


def build() -> dict[str, str]:
    """What counts are of: versions, and what valgrind's processor has, as numpy sees it."""
    command = [_found_valgrind(), "--tool=none", "-q", sys.executable, "-c", _SIMD]
    seen = subprocess.run(command, env=environment({}), check=True, capture_output=True, text=True).stdout.strip()
    return {
        "python": platform.python_version(),
        "libc": "-".join(platform.libc_ver()),
        "machine": platform.machine(),
        **{name: version(name) for name in LIBRARIES},
        "valgrind": _output([_found_valgrind(), "--version"]).removeprefix("valgrind-"),
        "simd": seen,
        "binning": "numpy" if find_spec("monitoring.baseline._binning") is None else "C",
    }


def count(name: str, folder: Path, more: Mapping[str, str] | None = None) -> int:
    """The instructions of one scenario.

    It is run twice on the same files: once so that its bytecode is there, and once counted.

    Args:
        name: Of `SCENARIOS`.
        folder: An empty folder.
        more: Variables of the process beside those of `environment`.

    Returns:
        Of all threads: of the process, or between its two marks. Cost: up to six minutes.
    """
    scenario, variables = SCENARIOS[name], environment(more or {})
    place, kept = folder / "place", folder / "kept"
    place.mkdir()
    scenario.prepare(place)
    shutil.copytree(place, kept, symlinks=True)
    counter = [_found_valgrind(), "--tool=callgrind", "--dump-before=getpgid", "--callgrind-out-file=../counts"]
    for command in ((), counter):
        shutil.rmtree(place)
        shutil.copytree(kept, place, symlinks=True)
        done = subprocess.run(
            [*command, sys.executable, *scenario.command],
            cwd=place,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
    between = folder / "counts.2"
    return totals((between if between.exists() else folder / "counts").read_text())


def totals(counts: str) -> int:
    """The instructions in a file of callgrind's.

    >>> totals("totals: 84416420")
    84416420
    """
    found = re.search(r"^totals: (\d+)$", counts, re.MULTILINE)
    assert found is not None
    return int(found[1])


def changes(base: Mapping[str, int], counts: Mapping[str, int]) -> tuple[str, ...]:
    """What is farther from its base than may be, one line each.

    >>> changes({"help": 1_000_000}, {"help": 1_049_000})
    ()
    >>> changes({"help": 1_000_000}, {"help": 1_060_000})
    ('help, `pitfalls --help`: 1,060,000 instructions, 6.0 % more than the 1,000,000 of the base',)
    """
    lines = []
    for name, counted in counts.items():
        if name not in base:
            lines.append(f"{name}: not in the base")
        elif abs(counted / base[name] - 1.0) > TOLERANCE:
            share = 100.0 * (counted / base[name] - 1.0)
            lines.append(
                f"{name}, {SCENARIOS[name].what}: {counted:,} instructions, {abs(share):.1f} % "
                f"{'more' if share > 0 else 'less'} than the {base[name]:,} of the base"
            )
    return tuple(lines)


def read_base(path: Path = BASE) -> tuple[dict[str, str], dict[str, int]]:
    """The build that the base was counted with, and its counts."""
    base = tomllib.loads(path.read_text("utf-8"))
    return base["build"], base["instructions"]


def base_text(built: Mapping[str, str], counts: Mapping[str, int]) -> str:
    """The text of a base."""
    lines = [f"# Instructions of what benchmarks/instruction_scenarios.py does; {ACCEPT} writes it.", "[build]"]
    lines += [f'{name} = "{value}"' for name, value in built.items()]
    lines += ["", "[instructions]", *(f"{name} = {counted:_}" for name, counted in counts.items())]
    return "\n".join(lines) + "\n"


def measure(settings: Settings, names: Sequence[str] = tuple(SCENARIOS)) -> Result:
    """Count all scenarios, or the first two if quick. Cost: twenty minutes of processor time."""
    counts = counted(names[:2] if settings.quick else names)
    return Result(tables=(table(read_base()[1], counts),))


def counted(names: Iterable[str]) -> dict[str, int]:
    """The instructions of scenarios, each in a folder of its own."""
    counts = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            counts[name] = count(name, Path(folder))
        print(f"{name:16} {counts[name]:>15,}", file=sys.stderr)
    return counts


def table(base: Mapping[str, int], counts: Mapping[str, int]) -> Table:
    """Counts in millions beside the base."""
    rows = tuple(
        (SCENARIOS[name].what, counted / 1e6, base.get(name, 0) / 1e6, counted / base[name] if name in base else None)
        for name, counted in counts.items()
    )
    return Table(title="Instructions", columns=("what", "millions", "base", "times the base"), rows=rows)


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _found_valgrind() -> str:
    found = valgrind()
    if found is None:
        raise CannotRun(
            "Instructions cannot be counted.",
            got="no valgrind on the PATH",
            expected="valgrind 3.20 or later",
            fix="apt-get install valgrind",
        )
    return found


def main(arguments: list[str] | None = None) -> int:
    """Count and compare with the base, or make the counts the base; 1 where they are not those of the base."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description="Instructions by valgrind.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCENARIOS)}; if none is given, all")
    parser.add_argument("--accept", action="store_true", help=f"write the counts to {BASE.name}, the new base")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(SCENARIOS):
        parser.error(f"unknown scenario {', '.join(sorted(unknown))}")
    built, counts = build(), counted(options.names or SCENARIOS)
    before, base = read_base() if BASE.exists() else ({}, {})
    lines = changes(base, counts)
    if options.accept:
        known = counts if built != before else {**base, **counts}
        BASE.write_text(base_text(built, {name: known[name] for name in SCENARIOS if name in known}), "utf-8")
    elif built != before:
        lines = (*lines, f"counted by another build than the base: {sorted(built.items() ^ before.items())}")
    print("\n".join(lines) or "Within the base.")
    return 1 if lines and not options.accept else 0


if __name__ == "__main__":
    sys.exit(main())
