"""Paths and URLs of the config: made absolute where they are local, and shown without their secrets."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pydantic import ValidationInfo

from monitoring.config.setting_error import refusal

_SQLITE = re.compile(r"(sqlite(?:\+\w+)?)://(?:/([^?]*))?(\?.*)?", re.DOTALL)
_POSTGRESQL = re.compile(r"postgresql(?:\+\w+)?://[^/\s]*/[^\s?]+(?:\?\S*)?")


def redacted(url: str) -> str:
    """Scheme, host and port only: a password, a query and, for webhooks, the path itself are secrets.

    >>> redacted("https://user:secret@hooks.example.org/services/T0/B0?key=1")
    'https://hooks.example.org/…'
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a URL that cannot be read"
    if not parts.scheme or not parts.hostname:
        return "a URL without scheme and host"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    rest = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{host}{port}{rest}"


def place(value: object, info: ValidationInfo) -> Path | str:
    """A path as `local_path` has it, or a URL of the scheme that it has."""
    if isinstance(value, str) and re.match(r"[a-z][a-z0-9+.-]+://.", value):
        return value
    return local_path(value, info)


def local_path(value: object, info: ValidationInfo) -> Path:
    """A path of the config, absolute: relative ones are relative to the config file's folder."""
    value = str(value) if isinstance(value, Path) else value  # a default
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise refusal("not a path.", got=value, expected="a path in quotes", fix="Relative paths start at this file.")
    if "://" in value:
        raise refusal(
            "only traffic and its labels may be at a URL.",
            got=redacted(value),
            expected="a local path",
            fix="Mount or copy it, and name the folder.",
        )
    return _absolute(value, info)


def store_url(value: str, info: ValidationInfo) -> str:
    """The store's URL; the file of an SQLite store made absolute."""
    if _POSTGRESQL.fullmatch(value):
        return value
    sqlite = _SQLITE.fullmatch(value)
    if sqlite is None:
        raise refusal(
            "not the URL of a store.",
            got=redacted(value) if "://" in value else value,
            expected="sqlite:///FILE, or postgresql+DRIVER://USER:PASSWORD@HOST/DATABASE",
            fix='Write, for example, url = "sqlite:///pitfalls.db".',
        )
    scheme, name, query = sqlite.groups()
    if not name or name.startswith((":memory:", "file:")):
        raise refusal(
            "a store in memory forgets what it has judged.",
            got=value,
            expected="sqlite:/// and a file's path",
            fix='Write, for example, url = "sqlite:///pitfalls.db".',
        )
    path = _absolute(name, info)
    if "?" in str(path):
        raise refusal(
            "an SQLite file's path cannot hold a question mark.",
            got=str(path),
            expected="a path without one",
            fix="Put the store into another folder.",
        )
    return f"{scheme}:///{path}{query or ''}"


def webhook_url(value: str) -> str:
    """A webhook's URL: encrypted, or on this machine."""
    try:
        parts = urlsplit(value)
        fits = bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\x00-\x1f\x7f]", value)
    except ValueError:
        parts, fits = SplitResult("", "", "", "", ""), False
    if fits and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))):
        return value
    raise refusal(
        "not a webhook that may be told.",
        got=redacted(value),
        expected="https://HOST/PATH, or http:// on this machine",
        fix='Write, for example, webhook = "https://hooks.example.org/pitfalls".',
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _absolute(text: str, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path())
    return (Path(folder) / text).absolute()
