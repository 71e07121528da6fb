"""Databases that tables are read from: their URLs, and queries that are bounded in time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationInfo

from monitoring.config.addresses import path_or_url, redacted, store_url
from monitoring.config.invalid_setting import reject_setting

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
    """A URL as it is, or a path made absolute; the file of an SQLite database likewise.

    Raises:
        PydanticCustomError: It is neither, or has a password.
    """
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
    """Check that a query is bounded in time.

    Raises:
        PydanticCustomError: It does not mention both bounds.
    """
    if missing := [f":{name}" for name in BOUNDS if not re.search(parameter_pattern([name]), value, re.ASCII)]:
        reject_setting(
            f"the query does not use {' and '.join(missing)}, so that each run would read all rows.",
            got=" ".join(value.split())[:200],
            expected="a condition on time with both",
            fix="Write, for example, WHERE event_time >= :start AND event_time < :end.",
        )
    return value
