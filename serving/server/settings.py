"""Everything that a server is told at its start, and what it says when it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serving.inference.batching import BatchSettings
from serving.models.loading import LoadSettings
from serving.models.versions import VersionSettings
from serving.transport.http_settings import HttpSettings
from serving.transport.sockets import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving.capture.traffic import TrafficSettings
    from serving.grpc_api.server import GrpcSettings
    from serving.models.model_list import ModelListSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRepositorySettings:
    """Which models there are, how they are loaded, and how often the disk is looked at."""

    origin: ModelListSource
    poll_s: float = 1.0
    """Seconds between two looks for versions; 0 looks only at the start, and when the list changes."""
    config_poll_s: float = 0.0
    """Seconds between two looks at a config file; 0 reads it at the start and when told."""
    loading: LoadSettings = field(default_factory=LoadSettings)
    rules: VersionSettings = field(default_factory=VersionSettings)
    may_label_unavailable: bool = False
    """Whether a reload may give a new label to a version that does not answer yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how much."""

    timeout_s: float | None = 30.0
    """A request's deadline; None for none."""
    drain_s: float = 30.0
    """How long a server that was told to stop goes on answering what it accepted."""
    batches: BatchSettings = field(default_factory=BatchSettings)
    rest: HttpSettings = field(default_factory=HttpSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcListener:
    """Where gRPC clients come in."""

    address: Address
    needed: bool = True
    """Whether the server refuses to start without it. If not, a port in use is reported, and REST serves alone."""
    settings: GrpcSettings | None = None
    """None for the usual ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """Everything a server needs to know."""

    shelf: ModelRepositorySettings
    address: Address | None = field(default_factory=Address)
    """Of the REST interface; None serves gRPC alone."""
    grpc: GrpcListener | None = None
    """None serves REST alone."""
    traffic: TrafficSettings | None = None
    """None logs nothing."""
    token: str | None = field(default=None, repr=False)
    """Opens ``POST /monitor/labels``; None keeps it shut."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """A server that answers now."""

    url: str | None
    """None if it has no REST interface."""
    grpc: str | None
    """HOST:PORT for gRPC clients; None if there is no such door."""
    models: Mapping[str, tuple[int, ...]]
    """Every model, and its versions that answer, newest first."""
    pid: int
