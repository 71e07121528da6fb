"""The settings of a server, and what it reports when it is ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serving.confinement.confinement import ConfineMode
from serving.inference.timestamps import EventTimeRange
from serving.models.batch_settings import BatchSettings
from serving.models.loading import LoadSettings
from serving.models.served_version import VersionSettings
from serving.transport.http_settings import HttpSettings
from serving.transport.sockets import Address

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from serving.access.reload_policy import ReloadPolicy
    from serving.access.tokens import Scope, Token
    from serving.capture.traffic_log import TrafficSettings
    from serving.grpc_api.server import GrpcSettings
    from serving.models.model_cache import ModelCacheSettings
    from serving.models.model_list import ModelListSource
    from serving.models.version_folders import ModelSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRepositorySettings:
    """Which models are served, how they are loaded, and how often the disk is polled."""

    source: ModelListSource
    """Where the list of models comes from."""
    waits_for_models: bool = True
    """Whether a server without any model starts, and answers by models when their versions come."""
    poll_s: float = 1.0
    """Seconds between two polls for versions; 0 polls only at the start, and when the list changes."""
    config_poll_s: float = 0.0
    """Seconds between two polls of a config file; 0 reads it at the start and on SIGHUP."""
    loading: LoadSettings = field(default_factory=LoadSettings)
    versions: VersionSettings = field(default_factory=VersionSettings)
    cache: ModelCacheSettings | None = None
    """Where versions of models at URLs are copied to; None if there are no such models."""
    local: Callable[[ModelSource], ModelSource] | None = None
    """What copies the versions of a model to the cache; None: this process does."""
    may_label_unavailable: bool = False
    """Whether a reload may give a new label to a version that is not available yet."""
    split_file: Path | None = None
    """Says how requests that name no version are split between two; read again when it changes. None splits none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Deadlines, batches and the limits of HTTP connections."""

    timeout_s: float | None = 30.0
    """Deadline of a request in seconds; None for none."""
    drain_s: float = 30.0
    """How long a stopping server goes on answering the requests that it accepted, in seconds."""
    event_times: EventTimeRange | None = field(default_factory=EventTimeRange)
    """Which event times clients may give; None for any."""
    batches: BatchSettings = field(default_factory=BatchSettings)
    http: HttpSettings = field(default_factory=HttpSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcListener:
    """The address of the gRPC interface."""

    address: Address
    is_required: bool = True
    """Whether the server refuses to start without it. If not, a port in use is reported, and REST serves alone."""
    settings: GrpcSettings | None = None
    """None for the defaults."""
    socket_path: Path | None = None
    """A Unix socket to listen on, too; not with several processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Who may ask for what."""

    tokens: tuple[Token, ...] = ()
    """Valid as long as the server runs; used if there is no file."""
    token_file: Path | None = None
    """Read again when it changes."""
    audit_log: Path | None = None
    """Where reloads, labels and refusals are recorded; None records nothing."""
    required: frozenset[Scope] = frozenset()
    """What needs a token beside labels and reloads."""
    reload: ReloadPolicy | None = None
    """None refuses lists of models that clients send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """All settings of a server."""

    repository: ModelRepositorySettings
    address: Address | None = field(default_factory=Address)
    """Of the HTTP interface; None serves gRPC alone."""
    grpc: GrpcListener | None = None
    """None serves HTTP alone."""
    traffic: TrafficSettings | None = None
    """None logs nothing."""
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    """Encrypts HTTP; None serves without encryption."""
    access: AccessSettings = field(default_factory=AccessSettings)
    limits: Limits = field(default_factory=Limits)
    confine: ConfineMode = ConfineMode.OFF
    """Whether the process reaches, from when its sockets are open, only what it needs; for good, so that no test or
    notebook should do it to itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """Where a ready server listens, and what it serves."""

    url: str | None
    """None if it has no HTTP interface."""
    grpc: str | None
    """HOST:PORT for gRPC clients; None if it has no gRPC interface."""
    models: Mapping[str, tuple[int, ...]]
    """Every model, and its available versions, newest first."""
    pid: int
