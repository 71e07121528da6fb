"""One section of a config's text, replaced; every other line stays as it was written."""

from __future__ import annotations

import re
import tomllib

from monitoring.errors import BadInput


def section_of(text: str, name: str) -> str:
    r"""The lines of a section, its header first; empty where there is none.

    >>> section_of('[model]\nbundle = "m"\n\n[store]\nurl = "s"\n', "store")
    '[store]\nurl = "s"\n'

    Args:
        text: A config.
        name: The section's name.

    Returns:
        The lines, without comments and blank lines at the end.
    """
    lines = text.splitlines(keepends=True)
    first, end = _place(lines, name)
    return "".join(lines[first:end])


def with_section(text: str, name: str, section: str) -> str:
    r"""A config with a section in the place of the one of that name, or at its end.

    >>> with_section('[model]\nbundle = "m"\n', "baseline", "[baseline]\nversion = 2\n")
    '[model]\nbundle = "m"\n\n[baseline]\nversion = 2\n'
    >>> with_section('[model]\nbundle = "m"\n\n[baseline]\nversion = 2\n', "baseline", "")
    '[model]\nbundle = "m"\n'

    Args:
        text: A config, which is valid TOML.
        name: The section's name.
        section: Its lines, the header first; empty: the section is removed.

    Returns:
        The config; every other setting and every comment is as it was.

    Raises:
        BadInput: The section is written in another way, such as `name.key = value`.
    """
    lines = text.splitlines(keepends=True)
    first, end = _place(lines, name)
    before, after = "".join(lines[:first]), "".join(lines[end:])
    if first == len(lines) and section:
        before = f"{before.rstrip()}\n\n"
    elif not section:
        before = f"{before.rstrip()}\n" + ("\n" if after.strip() else "")
        after = after.lstrip("\n")
    changed = before + section + after
    if _others(changed, name) == _others(text, name) and _own(changed, name) == _own(section, name):
        return changed
    raise BadInput(
        f"The [{name}] section of the config cannot be replaced.",
        got="one that is not lines below a header of its own",
        expected=f"[{name}], and a line for each key",
        fix="Write it so, or remove it.",
    )


def _place(lines: list[str], name: str) -> tuple[int, int]:
    """The first line of a section and the one after its last; the end of the text where there is none."""
    header = re.compile(rf"\s*\[\s*{re.escape(name)}\s*\]\s*(#.*)?$")
    headers = [at for at, line in enumerate(lines) if line.lstrip().startswith("[") and _is_whole(lines[:at])]
    first = next((at for at in headers if header.match(lines[at].rstrip("\r\n"))), len(lines))
    end = next((at for at in headers if at > first), len(lines))
    while end > first and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return first, end


def _is_whole(lines: list[str]) -> bool:
    """Whether some lines are TOML by themselves: the next one is in no text or list of several lines."""
    try:
        tomllib.loads("".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _others(text: str, name: str) -> dict[str, object] | None:
    """Every other section; None for a text that is not TOML."""
    try:
        return {key: value for key, value in tomllib.loads(text).items() if key != name}
    except tomllib.TOMLDecodeError:
        return None


def _own(text: str, name: str) -> object:
    try:
        return tomllib.loads(text).get(name)
    except tomllib.TOMLDecodeError:
        return None
