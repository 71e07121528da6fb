"""Loads a ``.keras`` file, with classes of its author's own module, and names the classes that are missing."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from monitoring.errors import BadInput
from monitoring.traffic.file_limits import HARMLESS, MOST_EXPANSION

#: Bytes of each part of a file that is text, of which several copies are parsed.
MOST_TEXT = 1 << 25
TEXTS = ("config.json", "metadata.json")


def load_keras(path: Path, custom: ModuleType | None = None) -> Any:
    """Load a ``.keras`` file. Imports Keras; code in the file is refused, as Keras does by default."""
    if not path.is_file():
        raise BadInput("No such file.", got=str(path), expected="a .keras file", fix="Save it: model.save('x.keras').")
    _check_sizes(path)
    if path.suffix != ".keras" or not _holds_model(path):
        convert = f"Convert it: keras.models.load_model('{path.name}', compile=False).save('{path.stem}.keras')."
        raise BadInput(
            "Not a .keras file.",
            got=str(path),
            expected="what model.save('NAME.keras') of Keras 3 writes",
            fix="It may be cut short: save or copy it again." if path.suffix == ".keras" else convert,
        )
    import keras  # noqa: PLC0415 - seconds, and only this needs it

    offered = {} if custom is None else custom_objects_of(custom)
    try:
        return keras.saving.load_model(path, compile=False, custom_objects=offered)
    except Exception as error:  # noqa: BLE001 - the author's constructors may raise anything
        _refuse(path, error, missing_classes(path, offered), custom)


def import_custom(name: str) -> ModuleType:
    """Import a module of custom classes.

    Args:
        name: Its dotted name, also looked for in the working directory; or the path of its ``.py`` file.
    """
    try:
        if not name.endswith(".py"):
            if "" not in sys.path:
                sys.path.insert(0, "")
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(name.rpartition("/")[2].removesuffix(".py"), name)
        assert spec is not None  # noqa: S101 - None only for a suffix that no loader knows
        assert spec.loader is not None  # noqa: S101 - as above
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except Exception as error:  # the author's code may raise anything
        raise BadInput(
            "The module of custom layers cannot be imported.",
            got=f"{name}: {type(error).__name__}: {error}",
            expected="a module that can be imported from here, or the path of a .py file",
            fix="Run `python -c 'import MODULE'` in this folder, or install the package that has it.",
        ) from error
    return module


def custom_objects_of(custom: ModuleType) -> dict[str, Any]:
    """The classes and functions of a module by name, which a Keras file may need."""
    public = {name: value for name, value in vars(custom).items() if not name.startswith("__")}
    return {name: value for name, value in public.items() if inspect.isclass(value) or inspect.isfunction(value)}


def missing_classes(path: Path, offered: Mapping[str, Any]) -> tuple[str, ...]:
    """The classes that a file needs and that are not available."""
    import keras  # noqa: PLC0415 - the caller has loaded it

    try:
        names = set(_named(json.loads(_part(path, "config.json"))))
    except (ValueError, RecursionError):
        return ()
    return tuple(
        sorted(
            {
                name.rpartition(">")[2]
                for name in names
                if keras.saving.get_registered_object(name) is None and name.rpartition(">")[2] not in offered
            }
        )
    )


def _named(config: Any) -> Iterator[str]:
    """Registered names of everything in a configuration that is not Keras's own."""
    if isinstance(config, dict):
        name, module = config.get("registered_name") or config.get("class_name"), config.get("module")
        if "class_name" in config and "config" in config and name and not _is_own(module, config):
            function = config["class_name"] == "function" and isinstance(config["config"], str)
            yield config["config"] if function else name
        for value in config.values():
            yield from _named(value)
    elif isinstance(config, list):
        for value in config:
            yield from _named(value)


def _is_own(module: str | None, config: Mapping[str, Any]) -> bool:
    if module is None:
        return not config.get("registered_name")
    package = module.split(".")[0]
    return package == "keras" or (package == "builtins" and not config.get("registered_name"))


def _refuse(path: Path, error: Exception, missing: tuple[str, ...], custom: ModuleType | None) -> NoReturn:
    words = _own_words(error)
    saved_by = _saved_by(path)
    if saved_by.startswith("2."):
        raise BadInput(
            "This Keras file cannot be loaded: Keras 2 saved it.",
            got=f"{path}, saved by Keras {saved_by}",
            expected="a file of Keras 3",
            fix="Load it with tf_keras, save its weights, and load these into the same model built with Keras 3.",
        ) from error
    if _holds_code(path) or "lambda" in words.lower():
        raise BadInput(
            "This Keras file cannot be loaded: it contains Python code, which is not run.",
            got=f"{path}: a Lambda layer",
            expected="layers whose code is in a module",
            fix="Make it a Layer class in a module, save the model again, and name the module: --custom MODULE.",
        ) from error
    if missing:
        where = "" if custom is None else f", and not in {custom.__name__}"
        raise BadInput(
            "This Keras file cannot be loaded: it needs classes that are not available.",
            got=f"{path} needs {', '.join(missing)}{where}; Keras says: {words[:300]}",
            expected="Keras's own layers, or a module that defines the others",
            fix="Name the module that defines them: --custom MODULE.",
        ) from error
    raise BadInput(
        "This Keras file cannot be loaded.",
        got=f"{path}: {words[:500]}",
        expected="a model that Keras rebuilds from its configuration",
        fix="Try keras.saving.load_model on it. A custom layer needs get_config() with every argument of its __init__.",
    ) from error


def _own_words(error: Exception) -> str:
    """What Keras says is wrong, in a line: of errors that it has wrapped, the innermost.

    >>> _own_words(ValueError("Dense could not be deserialized. Exception encountered: units is -1"))
    'units is -1'
    """
    text = str(error).rpartition("Exception encountered: ")[2].strip() or str(error).strip()
    return next(iter(text.splitlines()), "") or type(error).__name__


def _holds_code(path: Path) -> bool:
    """Whether a file has a Lambda layer, whose Python code is never run here."""
    config = _part(path, "config.json")
    return b'"__lambda__"' in config or b'"class_name": "Lambda"' in config


def _saved_by(path: Path) -> str:
    """The version of Keras that saved a file; empty if the file does not say."""
    try:
        return str(json.loads(_part(path, "metadata.json"))["keras_version"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return ""


def _check_sizes(path: Path) -> None:
    """Refuse a file by the sizes that its directory states, before any of it is unpacked, of which no more is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {part.filename: part.file_size for part in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError):
        return  # no such file: the caller says so
    size, unpacked = path.stat().st_size, sum(sizes.values())
    longest = max(sizes.get(name, 0) for name in TEXTS)
    if longest > MOST_TEXT or unpacked > max(HARMLESS, MOST_EXPANSION * size):
        raise BadInput(
            "A .keras file is not read, as it would fill the memory.",
            got=f"{path}: {size:,} bytes that hold {unpacked:,}, {longest:,} of them in one text",
            expected=f"at most {MOST_EXPANSION:,} times its size, and texts of {MOST_TEXT:,} bytes",
            fix="Ask whoever made it for the file that model.save() wrote: weights do not shrink so much.",
        )


def _holds_model(path: Path) -> bool:
    return bool(_part(path, "config.json"))


def _part(path: Path, name: str) -> bytes:
    """A part of a file; empty if it is not there, or is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, LookupError, RuntimeError, ValueError):
        return b""
