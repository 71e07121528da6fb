"""A server whose process reaches only what it needs; what lies beyond is done by a process that stays outside.

Outside are: files that are read again and may be secret (tokens, the model config file, the split), the listing and
copying of models at URLs, and the archive of the traffic log.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, final
from urllib.parse import urlsplit

from monitoring.tracing import ENDPOINTS
from monitoring.traffic.log.archive import Archiver
from serving.capture.model_logging import logging_by_model
from serving.confinement.confinement import (
    ConfineMode,
    Needs,
    Support,
    check_in_force,
    check_support,
    confine_calls,
    confine_files,
    has_gpu,
    with_links,
)
from serving.confinement.outside import Outside, OutsideFile, Task, file_at
from serving.models.model_cache import ModelCache
from serving.models.model_list import ConfigFile, ModelList, ModelsFolder, ModelsUrl, SingleModel
from serving.models.version_folders import ModelSource, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from serving.server.peers import PeerWorkers
    from serving.server.settings import ModelRepositorySettings, ServeSettings

    Report = Callable[[str], None]

BESIDE_GPU = (
    "Not confined, as there is a GPU, whose driver may need more than a prediction: --confine required does it, where "
    "your models were tried with it. Graphs may reach whatever this user may."
)
#: The port of OpenTelemetry's collectors where an address has none.
_COLLECTOR_PORT = 4318


@dataclass(frozen=True, slots=True, kw_only=True)
class Confined:
    """The settings of a server with what is done outside, and how it is confined once its sockets are open."""

    settings: ServeSettings
    report: Report
    support: Support | None = None
    """None: it is not to be confined."""
    scratch: Path = field(default_factory=Path)
    """For its temporary files."""

    def begin(self, peers: PeerWorkers) -> None:
        """Give up files and connections, before this process has threads."""
        if self.support is None:
            return
        needs = _needs(self.settings, peers, self.scratch)
        for folder in needs.write:
            with suppress(OSError):  # whoever writes there says what is wrong with it
                folder.mkdir(parents=True, exist_ok=True)
        confine_files(needs, self.support)

    def complete(self) -> None:
        """Give up system calls, once frameworks are imported, and say what is in force.

        Raises:
            CannotRun: Confinement is required, and something that was given up can be done.
        """
        if self.support is not None:
            self.report(confine_calls(self.support))
            check_in_force(self.settings.confine, self.support)


@contextmanager
def confining(settings: ServeSettings, report: Report) -> Iterator[Confined]:
    """Begin to confine a server, before it has sockets or threads. The process outside ends with the block.

    Raises:
        CannotRun: Confinement is required, and the kernel cannot.
    """
    beside_gpu = settings.confine is ConfineMode.AUTO and has_gpu()
    if beside_gpu:
        report(BESIDE_GPU)
    if beside_gpu or settings.confine is ConfineMode.OFF:
        yield Confined(settings=settings, report=report)
        return
    support = Support.of_this_machine()
    check_support(settings.confine, support)
    if not support.parts():
        yield Confined(settings=settings, report=report, support=support)
        return
    scratch = Path(tempfile.mkdtemp(prefix="pitfalls-"))
    before, tempfile.tempdir = tempfile.tempdir, str(scratch)
    outside = _outside(settings)
    try:
        used = settings if outside is None else _through(settings, outside, report)
        yield Confined(settings=used, report=report, support=support, scratch=scratch)
    finally:
        tempfile.tempdir = before
        shutil.rmtree(
            scratch, ignore_errors=True
        )  # the folder itself stays where its parent cannot be written any more
        if outside is not None:
            outside.close()


def _outside(settings: ServeSettings) -> Outside | None:
    """Start the process outside; None if there is nothing for it to do."""
    repository, traffic = settings.repository, settings.traffic
    source = repository.source
    config = source.path if isinstance(source, ConfigFile) else None
    files = [file for file in (settings.access.token_file, repository.split_file, config) if file is not None]
    tasks: dict[str, Task] = {}
    if isinstance(source, ModelsUrl):
        tasks["list"] = _listing(source)
    if repository.cache is not None:
        tasks["copy"] = _copying(repository)
    if traffic is not None and traffic.archive is not None:
        tasks["archive"] = _archiving()
    return Outside(files, tasks) if files or tasks else None


def _listing(source: ModelsUrl) -> Task:
    def listed(document: Any, say: Report) -> list[dict[str, Any]]:
        del document, say
        return [asdict(each) for each in source.read()]

    return listed


def _copying(repository: ModelRepositorySettings) -> Task:
    """Copies the wanted versions of a model at a URL to the cache."""
    assert repository.cache is not None  # noqa: S101 - the caller has looked
    lines: list[str] = []
    cache = ModelCache(repository.cache, report=lines.append)

    def copy(document: Any, say: Report) -> str:
        local = cache.local(source_of(document))
        for line in lines:
            say(line)
        lines.clear()
        return str(local.base)

    return copy


def _archiving() -> Task:
    """Moves the closed parts of logs, from the first time that a log is named until the second."""
    archivers: dict[str, Archiver] = {}

    def archive(document: Any, _: Report) -> None:
        folder = document["folder"]
        if folder in archivers:
            archivers.pop(folder).close()
        else:
            archivers[folder] = Archiver(Path(folder), document["url"])
            archivers[folder].start()

    return archive


@final
class _OutsideModels:
    """A `ModelListSource` at a URL, which is listed outside."""

    def __init__(self, source: ModelsUrl, outside: Outside, report: Report) -> None:
        self._source, self._outside, self._report = source, outside, report
        self.is_live, self.place = source.is_live, source.place

    def read(self) -> Sequence[ModelSource]:
        """See `ModelListSource`."""
        return tuple(source_of(entry) for entry in self._outside.call("list", None, self._report))


@final
class _OutsideArchiver:
    """An `Archiver` whose thread runs outside."""

    def __init__(self, outside: Outside, report: Report, folder: Path, url: str) -> None:
        self._outside, self._report = outside, report
        self._log = {"folder": str(folder.absolute()), "url": url}

    def start(self) -> None:
        """See `Archiver`."""
        self._outside.call("archive", self._log, self._report)

    def close(self) -> None:
        """See `Archiver`."""
        self._outside.call("archive", self._log, self._report)


def _through(settings: ServeSettings, outside: Outside, report: Report) -> ServeSettings:
    """The settings with what is done outside."""

    def file(path: Path | None) -> OutsideFile | None:
        return None if path is None else file_at(path, outside)

    repository, source, traffic = settings.repository, settings.repository.source, settings.traffic
    if isinstance(source, ModelsUrl):
        repository = replace(repository, source=_OutsideModels(source, outside, report))
    elif isinstance(source, ConfigFile):
        repository = replace(repository, source=replace(source, path=file_at(source.path, outside)))
    if repository.cache is not None:

        def local(model: ModelSource) -> ModelSource:
            return replace(model, base=Path(outside.call("copy", asdict(model), report))) if model.url else model

        repository = replace(repository, local=local)
    if traffic is not None and traffic.archive is not None:
        traffic = replace(traffic, archiver=lambda folder, url: _OutsideArchiver(outside, report, folder, url))
    return replace(
        settings,
        repository=replace(repository, split_file=file(repository.split_file)),
        access=replace(settings.access, token_file=file(settings.access.token_file)),
        traffic=traffic,
    )


def _needs(settings: ServeSettings, peers: PeerWorkers, scratch: Path) -> Needs:
    repository, access, traffic = settings.repository, settings.access, settings.traffic
    models = ModelList(repository.source, peers.store.newest())()
    policy = access.reload
    roots = [root for root in (policy.model_roots if policy is not None else ()) if isinstance(root, Path)]
    bases = [model.base for model in models if not model.url]
    folders = [*_places(repository), *((base, 1) for base in bases), *((root, 2) for root in roots)]
    logs = [each.folder for each in logging_by_model(models).values() if each.folder is not None]
    audit = () if access.audit_log is None else (_made(access.audit_log),)
    return Needs(
        read=(*chain.from_iterable(starmap(_readable, folders)), *repository.loading.op_libraries),
        write=(
            scratch,
            *(() if peers.folder is None else (peers.folder,)),
            *(() if traffic is None or traffic.folder is None else (traffic.folder,)),
            *logs,
            *(policy.log_roots if policy is not None else ()),
            *audit,
        ),
        ports=_collector_ports(os.environ),
    )


def _places(repository: ModelRepositorySettings) -> Iterator[tuple[Path, int]]:
    """Folders, and how many levels below them versions may be links."""
    source = repository.source
    if isinstance(source, ModelsFolder):
        yield source.folder, 2
    elif isinstance(source, SingleModel) and isinstance(source.base, Path):
        yield source.base, 1
    if repository.cache is not None:
        repository.cache.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield repository.cache.folder, 0


def _readable(folder: Path, depth: int) -> Iterable[Path]:
    """The folder with what is linked from it, or that in which it would be made."""
    if folder.is_dir():
        return with_links(folder, depth)
    return [next((path for path in folder.absolute().parents if path.is_dir()), folder)]


def _made(file: Path) -> Path:
    """The file, there and empty if it was not: it can be written to only if it is."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    return file


def _collector_ports(environment: Mapping[str, str]) -> tuple[int, ...]:
    """The ports of the collector of traces that the environment names.

    >>> _collector_ports({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4319"})
    (4319,)
    """
    return tuple(urlsplit(environment[name]).port or _COLLECTOR_PORT for name in ENDPOINTS if environment.get(name))
