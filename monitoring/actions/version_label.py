"""A label in a model config file of TensorFlow Serving: which version it names, and the file with another one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from monitoring.errors import BadInput

#: Comments, texts in quotes, braces and signs, words: as the text format of protocol buffers has them.
_TOKENS = re.compile(r"#[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[{}<>]|[:,;]|[^\s#\"'{}<>:,;]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlace:
    """Where a label's version stands in a file's text, and which it is."""

    start: int
    end: int
    version: int


@dataclass(slots=True)
class _Message:
    """A message that is being read: its field's name, its texts by field, and the labels within."""

    name: str
    values: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    labels: list[_Message] = field(default_factory=list)


def find_label(text: str, model: str, label: str) -> LabelPlace:
    """Find a label of a model.

    Args:
        text: The model config file.
        model: The model's name.
        label: The label.

    Returns:
        Its place.

    Raises:
        BadInput: The file has none of that name with a version.

    >>> find_label('model_config_list { config { name: "m" version_labels { key: "x" value: 7 } } }', "m", "x").version
    7
    """
    for config in _configs(text):
        if _plain(config, "name") != model:
            continue
        for one in config.labels:
            if _plain(one, "key") == label and _plain(one, "value").isdecimal():
                _, start, end = one.values["value"]
                return LabelPlace(start=start, end=end, version=int(text[start:end]))
    raise BadInput(
        "The model config file does not have the label.",
        got=f"no label {label!r} of a model {model!r}",
        expected='version_labels { key: "LABEL" value: VERSION } in the config of the model',
        fix="Correct label in [[action]], or the file.",
    )


def with_version(text: str, place: LabelPlace, version: int) -> str:
    """The file's text with another version at a place; every other letter is as it was."""
    return f"{text[: place.start]}{version}{text[place.end :]}"


def _configs(text: str) -> list[_Message]:
    found: list[_Message] = []
    stack, last = [_Message("")], ""
    for token in _TOKENS.finditer(text):
        word = token.group()
        if word.startswith("#") or word in (":", ",", ";"):
            continue
        if word in ("{", "<"):
            stack.append(_Message(last))
            last = ""
        elif word in ("}", ">") and len(stack) > 1:
            done = stack.pop()
            if done.name == "version_labels":
                stack[-1].labels.append(done)
            elif done.name == "config":
                found.append(done)
            last = ""
        elif last:
            stack[-1].values[last] = (word, *token.span())
            last = ""
        else:
            last = word
    return found


def _plain(message: _Message, name: str) -> str:
    """A field's value without its quotes; empty where there is none."""
    value: Any = message.values.get(name, ("",))[0]
    return str(value[1:-1] if value[:1] in ("'", '"') else value)
