"""Reading `monitor.toml`: all errors at once, each with its line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitoring.config.columns_section import ColumnEntries, ColumnSection
from monitoring.config.made_beside import is_read_only, name_of, state_folder, with_kept_section
from monitoring.config.problems import ConfigProblem, KeyPath, line_numbers, problems_of
from monitoring.config.section import Section
from monitoring.config.sections import MonitorConfig
from monitoring.errors import BadInput, InvalidSettings

#: The variable that holds the store's URL in place of the config's, as it may have a password.
STORE_VARIABLE = "PITFALLS_STORE_URL"

#: Far more than any config needs.
_MOST_BYTES = 1 << 20

#: A key or a table's name at the beginning of a line.
_KEY = re.compile(r"\[{0,2}\s*[\w.-]+\s*\]{0,2}|\[+|\]+")

_POSITION = re.compile(r"\s*\(at line (\d+), column \d+\)\s*$")


def load_config(path: Path) -> MonitorConfig:
    """Read and check a config; bundle, traffic and store are not opened.

    The store is that of the variable PITFALLS_STORE_URL, if it is set.

    Raises:
        BadInput: The file cannot be read, or is too large to be a config.
    """
    text = with_kept_section(path, _text(path))
    result = parse_config(text, path.absolute().parent, store=os.environ.get(STORE_VARIABLE) or None)
    if isinstance(result, MonitorConfig):
        return _with_writable_log(result, path.absolute())
    raise InvalidSettings(str(path), [str(problem) for problem in result])


def _with_writable_log(config: MonitorConfig, path: Path) -> MonitorConfig:
    """The config with a label log in the state folder, where it names none and its own folder cannot be written."""
    traffic = config.traffic
    if "label_log" in traffic.model_fields_set or traffic.label_log.exists() or not is_read_only(path):
        return config
    log = state_folder() / "label-logs" / name_of(path)
    return config.model_copy(update={"traffic": traffic.model_copy(update={"label_log": log})})


def parse_config(text: str, folder: Path, *, store: str | None = None) -> MonitorConfig | tuple[ConfigProblem, ...]:
    """Parse a config."""
    try:
        document: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return (_not_toml(error, text),)
    if store is not None and isinstance(section := document.setdefault("store", {}), dict):
        section["url"] = store
    result = validated(document, folder, text)
    return result if store is None or isinstance(result, MonitorConfig) else tuple(map(_of_variable, result))


def validated(settings: Mapping[str, Any], folder: Path, text: str = "") -> MonitorConfig | tuple[ConfigProblem, ...]:
    """Check settings by section, as TOML has them. `text`: the lines that they come from, which problems name."""
    document = {"store": {}, **settings}  # so that the default store, too, lies in the file's folder
    try:
        return MonitorConfig.model_validate(document, context={"folder": folder})
    except ValidationError as error:
        last_line = max(len(text.splitlines()), 1)
        return problems_of(error, line_numbers(text.replace("\r\n", "\n")), last_line)


class _Dictionary(Section):
    """A file of which only the section of columns counts."""

    columns: ColumnEntries


def read_dictionary(path: Path) -> dict[str, ColumnSection]:
    """Read the data dictionary of a TOML file: its section `[columns]`, whatever else the file has."""
    text = _text(path)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidSettings(str(path), [str(_not_toml(error, text))]) from error
    if "columns" not in document:
        raise BadInput(
            "The data dictionary has no columns.",
            got=f"{path}, with {', '.join(f'[{name}]' for name in document)[:200] or 'nothing'}",
            expected="a section [columns]",
            fix='Write [columns], and below it a line for each column: amount = { kind = "number", unit = "EUR" }.',
        )
    result = _entries(document["columns"], line_numbers(text.replace("\r\n", "\n")))
    if isinstance(result, dict):
        return result
    raise InvalidSettings(str(path), [str(problem) for problem in result])


def parse_dictionary(columns: Mapping[str, object]) -> dict[str, ColumnSection]:
    """Check a data dictionary that is given as values.

    >>> parse_dictionary({"amount": {"kind": "number", "unit": "EUR"}})["amount"].unit
    'EUR'
    """
    result = _entries(columns, {})
    if isinstance(result, dict):
        return result
    raise InvalidSettings("the dictionary", [problem.at(problem.place) for problem in result])


def _entries(columns: object, lines: Mapping[KeyPath, int]) -> dict[str, ColumnSection] | tuple[ConfigProblem, ...]:
    try:
        return _Dictionary.model_validate({"columns": columns}).columns
    except ValidationError as error:
        return problems_of(error, lines, 1)


def _of_variable(problem: ConfigProblem) -> ConfigProblem:
    """The problem, with the variable as its place if it is about the URL that came from there."""
    if problem.place != "[store] url":
        return problem
    return replace(problem, place=f"[store] url of {STORE_VARIABLE}", fix=f"Correct or unset {STORE_VARIABLE}.")


def _text(path: Path) -> str:
    expected, fix = "a text file in TOML", "`pitfalls monitor init` writes one."
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BadInput(
            "The config cannot be read.", got=f"{path} ({error.strerror})", expected=expected, fix=fix
        ) from error
    if len(content) > _MOST_BYTES:
        raise BadInput("The config is too large.", got=f"{path}, over 1 MiB", expected=expected, fix=fix)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = ConfigProblem(
            line=line,
            place="",
            what="not UTF-8.",
            got=f"byte {content[error.start]:#04x}",
            expected="text in UTF-8",
            fix="Save the file as UTF-8.",
        )
        raise InvalidSettings(str(path), [str(problem)]) from None


def _key_of(line: str) -> str:
    """A line for messages, without its value: that of a URL may be a secret, and a broken line may be cut anywhere."""
    key, equals, _ = line.strip().partition("=")
    named = _KEY.match(key)
    if named is None:
        return "a line without a key" if key or equals else "an empty line"
    return f"{named[0][:60].rstrip()} = ..." if equals else named[0][:60].rstrip()


def _not_toml(error: ValueError | RecursionError, text: str) -> ConfigProblem:
    """The error of a text that is not TOML; one without a position is at the end."""
    message = "brackets are nested too deep" if isinstance(error, RecursionError) else str(error)
    position = _POSITION.search(message)
    lines = text.splitlines() or [""]
    line = min(int(position[1]), len(lines)) if position else len(lines)
    return ConfigProblem(
        line=line,
        place="",
        what="not valid TOML.",
        got=_key_of(lines[line - 1]),
        expected="TOML",
        fix=f"{_POSITION.sub('', message).rstrip('.')}.",
    )
