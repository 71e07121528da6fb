"""Models given as files: Keras files are exported into a cache, SavedModels are served where they are."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.confined_export import export_command
from serving.confinement.confinement import ConfineMode
from serving.export.model_name import MODEL_NAME, check_name
from serving.export.signature_model import is_saved_model
from serving.models.foreign_formats import advice_for

#: Exports that are kept, those that were served last.
KEPT = 16
#: An export is made anew when one of these changes.
PACKAGES = ("pitfalls-tf", "keras", "tensorflow")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A Keras file or SavedModel, and the name that it is served under."""

    path: Path
    name: str

    @property
    def is_keras(self) -> bool:
        """Whether it has to be exported."""
        return self.path.is_file()


def model_files(paths: Sequence[Path], name: str | None) -> tuple[ModelFile, ...]:
    """Check what was given as models, before anything slow.

    Args:
        name: The name of a single one; None for the names of the files.

    Returns:
        One for each path.

    Raises:
        BadInput: there is no such file, it is a model of another format, or two have one name.
    """
    if name is not None:
        check_name(name)
        if len(paths) > 1:
            raise BadInput(
                "Several models cannot have one name.",
                got=f"--model_name {name} with {len(paths)} models",
                expected="one --model",
                fix="Leave --model_name out: each is called as its file.",
            )
    files = []
    for path in paths:
        is_keras = path.is_file() and path.suffix == ".keras"
        if not is_keras and not is_saved_model(path):
            raise BadInput(
                "This is no model that can be served.",
                got=f"--model {path}" + ("" if path.exists() else ", which does not exist"),
                expected="a .keras file, or a SavedModel: a folder with saved_model.pb",
                fix=advice_for(path) or "Check the path. A folder of NAME/VERSION folders is served by --models.",
            )
        absolute = path.absolute()
        stem = re.sub("[^A-Za-z0-9._-]+", "_", absolute.stem if is_keras else _folder_name(absolute)).strip("._-")
        files.append(ModelFile(path=absolute, name=name or (stem if MODEL_NAME.fullmatch(stem) else f"model_{stem}")))
    names = [file.name for file in files]
    if len(set(names)) != len(names):
        raise BadInput(
            "Two models have one name.",
            got=", ".join(f"{file.path} as {file.name}" for file in files),
            expected="a name for each",
            fix="Rename a file, or list the models in --model_config_file.",
        )
    return tuple(files)


def _folder_name(path: Path) -> str:
    """The name of a SavedModel's folder; of a version the model's: flights/3 is flights."""
    return path.parent.name if path.name.isdecimal() else path.name


def prepare_models(
    files: Sequence[ModelFile],
    cache: Path,
    *,
    custom: str | None,
    report: Callable[[str], None],
    confine: ConfineMode = ConfineMode.AUTO,
) -> Path:
    """Make a folder of models of files.

    Keras files are exported by `pitfalls export` in a process of its own, which compares the rows' answers with Keras'
    own; unless the same file was exported before.

    Args:
        custom: The module of custom layers, as of `pitfalls export`.
        report: Called with one sentence for each model.
        confine: Whether that process is confined.

    Returns:
        A folder of NAME/1 folders.

    Raises:
        Exit: an export has failed, and has said why.
    """
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    exports = [_exported(file, cache, custom, report, confine) if file.is_keras else file.path for file in files]
    text = json.dumps([[file.name, str(path)] for file, path in zip(files, exports, strict=True)])
    folder = cache / f"served-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    for file, path in zip(files, exports, strict=True):
        link = folder / file.name / "1"
        link.parent.mkdir(parents=True, exist_ok=True)
        aside = link.with_name(f".1-{os.getpid()}")
        aside.symlink_to(path, target_is_directory=True)
        aside.replace(link)
    _prune(cache, {path.parents[1] for file, path in zip(files, exports, strict=True) if file.is_keras})
    return folder


def _exported(
    file: ModelFile, cache: Path, custom: str | None, report: Callable[[str], None], confine: ConfineMode
) -> Path:
    folder = cache / f"export-{_digest(file, custom)}"
    path = folder / file.name / "1"
    if (path / "saved_model.pb").is_file():
        os.utime(folder)
        report(f"{file.path} was exported before, to {path}.")
        return path
    report(f"Exporting {file.path} …")
    arguments = ["export", str(file.path), "--name", file.name, "--models", str(folder), "--json"]
    arguments += ["--custom", custom] if custom else []
    with tempfile.TemporaryDirectory() as scratch:
        command = export_command(file.path, folder, arguments, confine, Path(scratch))
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise click.exceptions.Exit(done.returncode)
    bundle = json.loads(done.stdout)
    parity = bundle["parity"]
    report(f"Exported to {path}: {parity['rows']} rows have Keras' own answers, within {parity['tolerance']:g}.")
    return path


def _digest(file: ModelFile, custom: str | None) -> str:
    """Changes with the file, the module of custom layers, and the packages that export it."""
    digest = hashlib.sha256("".join(f"{name} {version(name)} " for name in PACKAGES).encode())
    digest.update(f"{file.name} {custom} ".encode())
    for path in (file.path, *([Path(custom)] if custom and custom.endswith(".py") else ())):
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:32]


def _prune(cache: Path, used: set[Path]) -> None:
    """Remove the exports that were served longest ago, beyond those that are kept."""
    exports = sorted(cache.glob("export-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in exports[KEPT:]:
        if path not in used:
            shutil.rmtree(path, ignore_errors=True)
