"""Build everything that is released, into dist/: `make release`.

Two distributions are built of one tree: `pitfalls-tf`, complete, and `pitfalls-tf-monitor`, which is `monitoring` with
its part of the command line. Each has an sdist, a wheel with the module in C for CPython 3.11 and later, and a wheel
without it that gives the same results. The tree is that of the last commit, times are the commit's, and everything is
built twice: the bytes have to be the same. Bills of materials, checksums and an in-toto statement of what was built of
what stand beside them; `pitfalls doctor --release dist` checks them.
"""

from __future__ import annotations

import configparser
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "release"
LIGHT = "pitfalls-tf-monitor"
#: Verbs that the light distribution does not have.
OTHER_VERBS = frozenset(f"{verb}.py" for verb in ("compare", "demo", "export", "replay", "reproduce", "train")) | {
    "rollout",
    "serve",
}
#: Libraries of the complete distribution that the light one has as an extra, or not at all.
EXTRAS = {
    "tfdv": ("tensorflow-data-validation", "tensorflow-metadata", "protobuf"),
    "evidently": ("evidently", "pandas"),
}
NOT_LIGHT = frozenset(
    {
        *("tensorflow", "keras", "tfx-bsl", "tensorflow-serving-api", "grpcio-health-checking", "grpcio-reflection"),
        *(
            "h2",
            "hpack",
            "hyperframe",
            "httptools",
            "statsmodels",
            "google-crc32c",
            "uvloop",
            *EXTRAS["tfdv"],
            *EXTRAS["evidently"],
        ),
    }
)


def main() -> int:
    """Build twice, compare, repair, describe; prints one line a file."""
    shutil.rmtree(BUILD, ignore_errors=True)
    commit = git("rev-parse", "HEAD").strip()
    epoch = git("log", "-1", "--format=%ct", commit).strip()
    builds = [build(BUILD / number, commit, epoch) for number in ("first", "second")]
    first, second = ({path.name: digest(path) for path in folder.iterdir()} for folder in builds)
    if first != second:
        different = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
        print(f"Not reproducible: {', '.join(different)} differ between two builds.", file=sys.stderr)
        return 3
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    shutil.copytree(builds[0], dist)
    manylinux(dist)
    for name, lock in (("complete", "requirements.lock"), ("monitor", "requirements-monitor.lock")):
        run("cyclonedx-py", "requirements", "--output-reproducible", "--short-PURLs", "--spec-version", "1.6",
            "--output-file", str(dist / f"{name}.cdx.json"), str(ROOT / lock))  # fmt: skip
    describe(dist, commit, epoch)
    files = sorted(path for path in dist.iterdir() if path.name != "SHA256SUMS")
    for path in files:
        print(f"{path.stat().st_size / 1e6:7.2f} MB  {path.name}")
    print(f"Built twice from {commit[:12]}, the same bytes; checksums in dist/SHA256SUMS.")
    return 0


def describe(dist: Path, commit: str, epoch: str) -> None:
    """Write what was built of what, then the checksums of all files; the same bytes for the same files and commit."""
    said = statement({path.name: digest(path) for path in sorted(dist.iterdir())}, commit, epoch)
    (dist / "provenance.intoto.json").write_text(json.dumps(said, indent=1, sort_keys=True) + "\n")
    (dist / "SHA256SUMS").write_text("".join(f"{digest(path)}  {path.name}\n" for path in sorted(dist.iterdir())))


def statement(digests: dict[str, str], commit: str, epoch: str) -> dict[str, Any]:
    """An in-toto statement with SLSA's provenance: the files by SHA-256, and the commit and the lock they come from."""
    lock = {"uri": "requirements.lock", "digest": {"sha256": digest(ROOT / "requirements.lock")}}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in digests.items()],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:pitfalls-tf:make-release:1",
                "externalParameters": {"target": "release"},
                "internalParameters": {"SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": "0"},
                "resolvedDependencies": [{"uri": "git:HEAD", "digest": {"gitCommit": commit}}, lock],
            },
            "runDetails": {"builder": {"id": "urn:pitfalls-tf:make-release"}},
        },
    }


def build(folder: Path, commit: str, epoch: str) -> Path:
    """Both distributions, each with its sdist and its two wheels, in a folder of their own."""
    out = folder / "dist"
    out.mkdir(parents=True)
    for name in ("complete", "light"):
        source = folder / name
        source.mkdir()
        with tarfile.open(fileobj=BytesIO(git_bytes("archive", commit))) as archive:
            archive.extractall(source, filter="data")
        if name == "light":
            lighten(source)
        for pure in ("", "1"):
            made = folder / f"{name}-built{pure}"
            kinds = ["--wheel"] if pure else ["--wheel", "--sdist"]
            environment = {"SOURCE_DATE_EPOCH": epoch, "PITFALLS_PURE": pure, "PYTHONHASHSEED": "0"}
            environment |= {
                "CFLAGS": "-g0",
                "LDFLAGS": "-Wl,--build-id=none,--no-as-needed -lc",
            }  # no trace of the folder; auditwheel asks for libc
            run(sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(made), str(source),
                **environment)  # fmt: skip
            for path in made.iterdir():
                rewritten(path, out / path.name, int(epoch))
            shutil.rmtree(source / "build", ignore_errors=True)
    return out


def lighten(source: Path) -> None:
    """Leave of a tree what the light distribution has, with its own setup.cfg and README."""
    for name in ("serving", "tests", "benchmarks", "deploy", "docs"):
        shutil.rmtree(source / name, ignore_errors=True)
    for path in (source / "pitfalls_tf").iterdir():
        if path.name not in {"__init__.py", "cli", "py.typed"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in OTHER_VERBS:
        path = source / "pitfalls_tf" / "cli" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    setup = configparser.RawConfigParser()
    setup.read(source / "setup.cfg", encoding="utf-8")
    needed = setup["options"]["install_requires"].strip().splitlines()
    extras = setup["options.extras_require"]
    for extra, libraries in EXTRAS.items():
        extras[extra] = "\n" + "\n".join(line for line in needed if requirement(line) in libraries)
    for name in ("test", "docs", "dev"):
        extras.pop(name, None)
    setup["options"]["install_requires"] = "\n" + "\n".join(
        line for line in needed if not line.startswith("#") and requirement(line) not in NOT_LIGHT
    )
    setup["metadata"]["name"] = LIGHT
    setup["metadata"]["description"] = "Says within a false-alarm budget when a model's predictions have changed."
    setup["options.packages.find"]["include"] = "\nmonitoring*\npitfalls_tf*"
    setup["options.package_data"].pop("serving", None)
    setup["options.package_data"]["pitfalls_tf"] = "\npy.typed"
    kept = configparser.RawConfigParser()
    for section in ("metadata", "options", "options.packages.find", "options.package_data", "options.extras_require",
                    "options.entry_points"):  # fmt: skip
        kept[section] = setup[section]
    with (source / "setup.cfg").open("w", encoding="utf-8") as file:
        kept.write(file)
    (source / "MANIFEST.in").write_text("include LICENSE README.md\nrecursive-include monitoring *.c *.pyi\n")


def requirement(line: str) -> str:
    """The name of what a line of install_requires needs."""
    return line.strip().partition(">")[0].partition("<")[0].partition("=")[0]


def rewritten(path: Path, to: Path, epoch: int) -> None:
    """Copy what was built; an sdist with the times and owners that do not depend on who built it."""
    if not path.name.endswith(".tar.gz"):
        shutil.copy(path, to)
        return
    with (
        tarfile.open(path) as given,
        to.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=epoch) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member in sorted(given.getmembers(), key=lambda each: each.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            archive.addfile(member, given.extractfile(member) if member.isreg() else None)


def manylinux(dist: Path) -> None:
    """Name the wheels with the module in C after the oldest system that they run on, where auditwheel can tell."""
    for wheel in sorted(dist.glob("*-linux_*.whl")):
        done = subprocess.run(
            [sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", str(dist), str(wheel)],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        )  # fmt: skip
        if done.returncode == 0:
            wheel.unlink()
        else:
            print(f"{wheel.name} keeps its name: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(*command: str, **environment: str) -> None:
    """Run a program of the virtual environment; its lines are shown where it fails."""
    place = Path(sys.executable).parent
    words = [str(place / command[0]) if (place / command[0]).exists() else command[0], *command[1:]]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def git(*words: str) -> str:
    """What git prints."""
    return git_bytes(*words).decode()


def git_bytes(*words: str) -> bytes:
    """What git prints, as bytes."""
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
