"""Which lists of models a client may send: only from named folders, and only with a credential."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from monitoring.traffic.remote.urls import is_url, shown_url
from serving.status import Code, Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadPolicy:
    """Where the models and logs of a client's list may lie."""

    model_roots: tuple[Path | str, ...]
    """Folders of this machine, and URLs."""
    log_roots: tuple[Path, ...] = ()
    takes_certificates: bool = False
    """Whether a client's certificate, which TLS has verified, is a credential."""

    def check(self, config: Any) -> None:
        """Check the folders of a ``ModelServerConfig``, symbolic links followed.

        Raises:
            Failure: PERMISSION_DENIED naming the first folder that is not below a root.
        """
        for flag, folder, roots in self._folders(config):
            if (is_url(folder) or folder.startswith("/")) and not _is_allowed(folder, roots):
                named = ", ".join(shown_url(root) if isinstance(root, str) else str(root) for root in roots)
                raise Failure(
                    Code.PERMISSION_DENIED,
                    f"A list of models that a client sends may not name {shown_url(folder)}: {flag} allows "
                    f"{named or 'no folder'}.",
                )

    def _folders(self, config: Any) -> Iterator[tuple[str, str, tuple[Path | str, ...]]]:
        for model_config in config.model_config_list.config:
            yield "--model-root", model_config.base_path.removeprefix("file://"), self.model_roots
            prefix = model_config.logging_config.log_collector_config.filename_prefix
            if prefix:
                yield "--log-root", str(Path(prefix).absolute()), self.log_roots


def _is_allowed(folder: str, roots: Sequence[Path | str]) -> bool:
    if is_url(folder):
        return any(is_url_below(folder, root) for root in roots if isinstance(root, str))
    return is_below(Path(folder), [root for root in roots if isinstance(root, Path)])


def is_url_below(url: str, root: str) -> bool:
    """Whether a URL is another one or below it. Returns whether it is; never for a URL with ``..`` in it.

    >>> [is_url_below(f"s3://b/{path}", "s3://b/m/") for path in ("m", "m/a", "m2", "m/../x", "m/%2e%2e/x")]
    [True, True, False, False, False]
    """
    parts = unquote(url).split("/")
    return ".." not in parts and f"{url.rstrip('/')}/".startswith(f"{root.rstrip('/')}/")


def is_below(path: Path, roots: Sequence[Path]) -> bool:
    """Whether a path is one of the roots or below one.

    >>> is_below(Path("/models/../etc"), [Path("/models")]), is_below(Path("/models/m"), [Path("/models")])
    (False, True)
    """
    resolved = path.resolve()
    return any(resolved.is_relative_to(root.resolve()) for root in roots)
