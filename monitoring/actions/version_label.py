"""A label in a model config file of TensorFlow Serving: which version it names, and the file with another one."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
    """A message that is being read: its field's name, its texts by field, the messages within, where it is."""

    name: str
    values: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    words: list[tuple[str, str]] = field(default_factory=list)
    parts: list[_Message] = field(default_factory=list)
    start: int = 0
    end: int = 0

    def within(self, name: str) -> list[_Message]:
        """The messages of a field."""
        return [part for part in self.parts if part.name == name]


def find_label(text: str, model: str, label: str) -> LabelPlace:
    """Find a label of a model.

    >>> find_label('model_config_list { config { name: "m" version_labels { key: "x" value: 7 } } }', "m", "x").version
    7
    """
    for config in _configs(text):
        if _plain(config, "name") != model:
            continue
        for entry in config.within("version_labels"):
            if _plain(entry, "key") == label and _plain(entry, "value").isdecimal():
                _, start, end = entry.values["value"]
                return LabelPlace(start=start, end=end, version=int(text[start:end]))
    raise BadInput(
        "The model config file does not have the label.",
        got=f"no label {label!r} of a model {model!r}",
        expected='version_labels { key: "LABEL" value: VERSION } in the config of the model',
        fix="Correct label in [[action]], or the file.",
    )


def dropped_versions(text: str, model: str, versions: Sequence[int]) -> str:
    """Why a server with this file would not keep some versions of a model side by side.

    >>> text = (
    ...     'model_config_list { config { name: "m" model_version_policy { specific { versions: 4 versions: 5 } } } }'
    ... )
    >>> dropped_versions(text, "m", (4, 5)), dropped_versions(text, "m", (4, 6))
    ('', 'its policy names the versions 4, 5')

    Returns:
        The end of a sentence; empty where it keeps them.
    """
    for config in _configs(text):
        if _plain(config, "name") != model:
            continue
        (policy,) = config.within("model_version_policy")[-1:] or (_Message(""),)
        if policy.within("all"):
            return ""
        specific = _specific(policy)
        if specific:
            return (
                ""
                if set(versions) <= set(specific)
                else f"its policy names the versions {', '.join(map(str, specific))}"
            )
        latest = policy.within("latest")[-1:]
        number = _plain(latest[0], "num_versions") if latest else ""
        return f"its policy is latest {number or 1}: a version that arrives would drop the older one"
    return "it has no such model"


def with_version(text: str, place: LabelPlace, version: int) -> str:
    """The file's text with another version at a place; every other letter is as it was."""
    return f"{text[: place.start]}{version}{text[place.end :]}"


def pinned_versions(text: str, model: str) -> tuple[int, ...]:
    """The versions that a model's policy names; none where the policy is another one.

    >>> pinned_versions('config { name: "m" model_version_policy { specific { versions: 4 versions: 5 } } }', "m")
    (4, 5)
    """
    policies = [
        policy
        for config in _configs(text)
        if _plain(config, "name") == model
        for policy in config.within("model_version_policy")
    ]
    return tuple(_specific(policies[-1])) if policies else ()


def labels_of(text: str, model: str) -> tuple[tuple[str, int], ...]:
    """The labels of a model, with the versions that they name.

    >>> labels_of('config { name: "m" version_labels { key: "x" value: 7 } }', "m")
    (('x', 7),)
    """
    entries = [
        (_plain(entry, "key"), _plain(entry, "value"))
        for config in _configs(text)
        if _plain(config, "name") == model
        for entry in config.within("version_labels")
    ]
    return tuple((label, int(value)) for label, value in entries if value.isdecimal())


def with_default(text: str, model: str, label: str, version: int) -> str:
    """The file's text by which a label, and requests that name no version, get a version of a model.

    These get the newest one that is served, so the policy names it, and the older ones that it named before.

    >>> text = (
    ...     'config { name: "m" model_version_policy { specific { versions: 4 } } '
    ...     'version_labels { key: "x" value: 4 } }'
    ... )
    >>> newer = with_default(text, "m", "x", 5)
    >>> pinned_versions(newer, "m"), find_label(newer, "m", "x").version
    ((4, 5), 5)
    >>> with_default(newer, "m", "x", 4) == text
    True
    """
    place = find_label(text, model, label)
    (policy,) = [
        policy
        for config in _configs(text)
        if _plain(config, "name") == model
        for policy in config.within("model_version_policy")
    ][-1:]
    kept = sorted({*(number for number in pinned_versions(text, model) if number < version), version})
    named = " ".join(f"versions: {number}" for number in kept)
    edits = [(place.start, place.end, str(version)), (policy.start, policy.end, f" specific {{ {named} }} ")]
    for start, end, new in sorted(edits, reverse=True):
        text = f"{text[:start]}{new}{text[end:]}"
    return text


def _specific(policy: _Message) -> list[int]:
    """The versions that a policy names."""
    return [int(word) for message in policy.within("specific") for name, word in message.words if name == "versions"]


def _configs(text: str) -> list[_Message]:
    messages: list[_Message] = []
    stack, last = [_Message("")], ""
    for token in _TOKENS.finditer(text):
        word = token.group()
        if word.startswith("#") or word in (":", ",", ";"):
            continue
        if word in ("{", "<"):
            stack.append(_Message(last, start=token.end()))
            last = ""
        elif word in ("}", ">") and len(stack) > 1:
            done = stack.pop()
            done.end = token.start()
            stack[-1].parts.append(done)
            if done.name == "config":
                messages.append(done)
            last = ""
        elif last:
            stack[-1].values[last] = (word, *token.span())
            stack[-1].words.append((last, word))
            last = ""
        else:
            last = word
    return messages


def _plain(message: _Message, name: str) -> str:
    """A field's value without its quotes; empty where there is none."""
    value: Any = message.values.get(name, ("",))[0]
    return str(value[1:-1] if value[:1] in ("'", '"') else value)
