"""Limits of one connection."""

from __future__ import annotations

import dataclasses

from serving.http2.connection_settings import ConnectionSettings


def test_every_limit_has_to_be_given() -> None:
    assert all(one.default is dataclasses.MISSING for one in dataclasses.fields(ConnectionSettings))
