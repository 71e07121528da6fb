"""Which code a metric of the user's own was."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCode:
    """The identity of a metric's function.

    Attributes:
        function: Where it is, ``module:function``.
        digest: SHA-256 of the module's file, in hexadecimal; empty where there is no such file.
    """

    name: str
    function: str
    digest: str
