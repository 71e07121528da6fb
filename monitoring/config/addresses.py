"""Paths and URLs of the config: local ones are made absolute, and secrets are left out of messages."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pydantic import ValidationInfo

from monitoring.config.invalid_setting import reject_setting

_SQLITE = re.compile(r"(sqlite(?:\+\w+)?)://(?:/([^?]*))?(\?.*)?", re.DOTALL)
_POSTGRESQL = re.compile(r"postgresql(?:\+\w+)?://[^/\s]*/[^\s?]+(?:\?\S*)?")


def redacted(url: str) -> str:
    """Reduce a URL to scheme, host and port: password, query and, for webhooks, the path are secrets.

    Returns:
        The URL without its secrets, or words in its place where it is not a URL.

    >>> redacted("https://user:secret@hooks.example.org/services/T0/B0?key=1")
    'https://hooks.example.org/…'
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an invalid URL"
    if not parts.scheme or not parts.hostname:
        return "a URL without scheme and host"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    rest = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{host}{port}{rest}"


def path_or_url(value: object, info: ValidationInfo) -> Path | str:
    """A URL as it is, or a path as `local_path` makes it."""
    if isinstance(value, str) and re.match(r"[a-z][a-z0-9+.-]+://.", value):
        return value
    return local_path(value, info)


def local_path(value: object, info: ValidationInfo) -> Path:
    """Make a path absolute; relative ones start at the config file's folder."""
    value = str(value) if isinstance(value, Path) else value  # a default
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        reject_setting(
            "not a path.", got=value, expected="a path in quotes", fix="Relative paths start at this file's folder."
        )
    if "://" in value:
        reject_setting(
            "must be a local path; only [traffic] path and labels may be URLs.",
            got=redacted(value),
            expected="a local path",
            fix="Mount or copy the data, and write the folder's path.",
        )
    return _absolute(value, info)


def store_url(value: str, info: ValidationInfo) -> str:
    """Check the store's URL, and make the file of an SQLite store absolute."""
    if _POSTGRESQL.fullmatch(value):
        return value
    sqlite = _SQLITE.fullmatch(value)
    if sqlite is None:
        reject_setting(
            "not the URL of a store: SQLite or PostgreSQL.",
            # a URL that is broken may still have a password, wherever it is cut
            got=value if value.startswith("sqlite") or not set(value) & set(":@") else redacted(value),
            expected="sqlite:///FILE, or postgresql+DRIVER://USER:PASSWORD@HOST/DATABASE",
            fix='Write, for example, url = "sqlite:///pitfalls.db".',
        )
    scheme, name, query = sqlite.groups()
    if not name or name.startswith((":memory:", "file:")):
        reject_setting(
            "an in-memory store is lost when the process ends.",
            got=value,
            expected="sqlite:/// and a file's path",
            fix='Write, for example, url = "sqlite:///pitfalls.db".',
        )
    path = _absolute(name, info)
    if "?" in str(path):
        reject_setting(
            "the path of an SQLite file cannot contain a question mark.",
            got=str(path),
            expected="a path without one",
            fix="Use another folder for the store.",
        )
    return f"{scheme}:///{path}{query or ''}"


def webhook_url(value: str) -> str:
    """Check a webhook's URL: encrypted, or on this machine.

    Raises:
        PydanticCustomError: The URL is neither; the message does not quote its secrets.
    """
    try:
        parts = urlsplit(value)
        fits = bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\x00-\x1f\x7f]", value)
    except ValueError:
        parts, fits = SplitResult("", "", "", "", ""), False
    if not fits or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))):
        reject_setting(
            "not a webhook URL that is allowed: https, or http on this machine.",
            got=redacted(value),
            expected="https://HOST/PATH, or http:// on this machine",
            fix='Write, for example, webhook = "https://hooks.example.org/pitfalls".',
        )
    return value


def alertmanager_url(value: str) -> str:
    """Check the URL of an Alertmanager, which is often plain http within a cluster."""
    host = r"https?://[^\s\x00-\x1f\x7f/?#]+[^\s\x00-\x1f\x7f?#]*"
    return _plain_url(value, host, "an Alertmanager", 'url = "http://alertmanager:9093"')


def web_url(value: str) -> str:
    """Check the address of the dashboard, for links to it."""
    return _plain_url(
        value, r"https?://[^\s\x00-\x1f\x7f<>|\"]+", "a dashboard", 'link = "https://monitor.example.org"'
    )


def server_url(value: str) -> str:
    """Check the address of a server's REST API."""
    return _plain_url(value, r"https?://[^\s\x00-\x1f\x7f<>|\"]+", "a server", 'server = "http://127.0.0.1:8501"')


def _plain_url(value: str, pattern: str, what: str, example: str) -> str:
    """A URL of http or https without user and password, and without a slash at its end."""
    if not re.fullmatch(pattern, value) or "@" in value:
        reject_setting(
            f"not the URL of {what}.",
            got=redacted(value),
            expected="http:// or https:// and a host, without user and password",
            fix=f"Write, for example, {example}.",
        )
    return value.rstrip("/")


def program(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """Check the words of a command; a program with a slash in its name is a path, relative to the config's folder."""
    if not value[0].strip() or any("\0" in word for word in value):
        reject_setting(
            "not a command.",
            got=list(value),
            expected="a program and its arguments, one text each",
            fix='Write, for example, command = ["bin/notify", "--urgent"].',
        )
    return (str(_absolute(value[0], info)), *value[1:]) if "/" in value[0] else value


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "monitor.example")]
    [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _absolute(text: str, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path())
    return (Path(folder) / text).absolute()


#: Dialects of SQLAlchemy; schemes of other URLs are those of file systems.
_DIALECTS = (
    "postgresql",
    "sqlite",
    "mysql",
    "mariadb",
    "oracle",
    "mssql",
    "snowflake",
    "redshift",
    "bigquery",
    "databricks",
    "duckdb",
    "clickhouse",
    "trino",
)
_DATABASE = re.compile(rf"(?:{'|'.join(_DIALECTS)})(?:\+\w+)?://", re.ASCII)

#: The parameters of a query.
BOUNDS = ("start", "end")


def is_database_url(text: str) -> bool:
    """Whether a text is the URL of a database.

    >>> is_database_url("postgresql+psycopg://reader@host/scores"), is_database_url("s3://bucket/traffic")
    (True, False)
    """
    return _DATABASE.match(text) is not None


def parameter_pattern(names: Iterable[str]) -> str:
    """A regular expression of parameters in SQL: a name after one colon, as two are a cast.

    >>> re.findall(parameter_pattern(["start"]), "a::start < :start AND b < ':starting'")
    [':start']
    """
    alternatives = "|".join(map(re.escape, names))
    return rf"(?<![:\w]):(?:{alternatives})\b" if alternatives else r"(?!)"


def place(value: object, info: ValidationInfo) -> Path | str:
    """A URL as it is, or a path made absolute; the file of an SQLite database likewise."""
    if not isinstance(value, str) or not is_database_url(value):
        return path_or_url(value, info)
    if re.match(r"[^/]*//[^/@\s]*:[^/@\s]*@", value):
        reject_setting(
            "the URL of a database has a password in it.",
            got=redacted(value),
            expected="a URL without one, such as postgresql+psycopg://reader@host/scores",
            fix='Keep it apart: password_env = "SCORES_PASSWORD", or password_file.',
        )
    if value.startswith("duckdb:///"):
        return f"duckdb:///{path_or_url(value.removeprefix('duckdb:///'), info)}"
    return store_url(value, info) if value.startswith("sqlite") else value


def bounded_query(value: str) -> str:
    """Check that a query is bounded in time."""
    if missing := [f":{name}" for name in BOUNDS if not re.search(parameter_pattern([name]), value, re.ASCII)]:
        reject_setting(
            f"the query does not use {' and '.join(missing)}, so that each run would read all rows.",
            got=" ".join(value.split())[:200],
            expected="a condition on time with both",
            fix="Write, for example, WHERE event_time >= :start AND event_time < :end.",
        )
    return value
