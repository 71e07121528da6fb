"""A ``.keras`` file as the model in it, with the classes of its author's own module, and names for what is missing."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import sys
import zipfile
from typing import TYPE_CHECKING, Any

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import ModuleType

# Of Keras's own packages nothing has to be registered.
_OWN = ("keras", "builtins")


def load_keras(path: Path, custom: ModuleType | None = None) -> Any:
    """The model in a ``.keras`` file. Imports Keras; code in the file is refused, as Keras does by default.

    Classes and functions of ``custom`` are found by their names, whether or not they are registered there.

    Raises:
        BadInput: no such file, not a Keras file, one with code in it, or one that needs classes that are not here.
    """
    if not path.is_file():
        raise BadInput("No such file.", got=str(path), expected="a .keras file", fix="Save it: model.save('x.keras').")
    if path.suffix != ".keras" or not _holds_model(path):
        raise BadInput(
            "Not a Keras file.",
            got=str(path),
            expected="what model.save('NAME.keras') writes",
            fix="Save the model again with Keras 3.",
        )
    import keras  # noqa: PLC0415 - seconds, and only this needs it

    offered = {} if custom is None else offered_by(custom)
    try:
        return keras.saving.load_model(path, compile=False, custom_objects=offered)
    except Exception as error:  # somebody's own constructors may raise anything
        raise _refused(path, error, missing_classes(path, offered), custom) from error


def import_custom(name: str) -> ModuleType:
    """Import a module by its dotted name, found from the working directory too, or by the path of its ``.py`` file.

    Raises:
        BadInput: there is none, or it cannot be imported; with what it said.
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


def offered_by(custom: ModuleType) -> dict[str, Any]:
    """What a module has that a Keras file may name: its classes and functions, by their plain names."""
    public = {name: value for name, value in vars(custom).items() if not name.startswith("__")}
    return {name: value for name, value in public.items() if inspect.isclass(value) or inspect.isfunction(value)}


def missing_classes(path: Path, offered: Mapping[str, Any]) -> tuple[str, ...]:
    """Names in the file's configuration that are neither Keras's own, nor registered, nor offered."""
    import keras  # noqa: PLC0415 - the caller has loaded it

    with zipfile.ZipFile(path) as archive:
        try:
            config = json.loads(archive.read("config.json"))
        except ValueError:
            return ()
    return tuple(
        sorted(
            {
                name.rpartition(">")[2]
                for name in _named(config)
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
    return module.split(".")[0] in _OWN and not config.get("registered_name")


def _refused(path: Path, error: Exception, missing: tuple[str, ...], custom: ModuleType | None) -> BadInput:
    said = str(error).strip().splitlines() or [type(error).__name__]
    if missing:
        where = "" if custom is None else f", and not in {custom.__name__}"
        return BadInput(
            "This Keras file cannot be loaded: it needs classes that are not here.",
            got=f"{path} needs {', '.join(missing)}{where}",
            expected="Keras's own layers, or a module that has the others",
            fix="Name the module that defines them: --custom MODULE.",
        )
    if "lambda" in said[0].lower():
        return BadInput(
            "This Keras file cannot be loaded: it holds Python code, which is not run.",
            got=f"{path}: a Lambda layer",
            expected="layers whose code is in a module",
            fix="Make the lambda a Layer class in a module of yours, save again, and name it: --custom MODULE.",
        )
    return BadInput(
        "This Keras file cannot be loaded.",
        got=f"{path}: {said[0][:500]}",
        expected="a model that Keras rebuilds from its configuration",
        fix="Try keras.saving.load_model on it. A custom layer needs get_config() with every argument of its __init__.",
    )


def _holds_model(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "config.json" in archive.namelist()
