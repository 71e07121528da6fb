"""Moves a label of a running server to another version, in the server's model config file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

from monitoring.actions.version_label import LabelPlace, find_label, with_default, with_version
from monitoring.atomic import rewrite_text
from monitoring.errors import BadInput, CannotRun

#: Seconds between two looks at the server, and that one may take.
_EVERY, _ONE_LOOK = 0.5, 5.0

_LONGEST_ANSWER = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLabel:
    """A label of a model on a server."""

    file: Path
    server: str
    model: str
    label: str
    section: str
    timeout: timedelta = timedelta(seconds=60)

    @property
    def _served(self) -> ServedModel:
        return ServedModel(server=self.server, model=self.model, section=self.section)

    def text(self) -> str:
        """The file. Raises BadInput if it cannot be read."""
        try:
            return self.file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
            raise BadInput(
                "The model config file cannot be read.",
                got=f"{self.file} ({reason})",
                expected="the file of the server's --model_config_file",
                fix=f"Correct model_config_file in {self.section}.",
            ) from error

    def version(self) -> int:
        """The version that the label names in the file. Raises BadInput if the file has no such label."""
        return find_label(self.text(), self.model, self.label).version

    def states(self) -> dict[int, str]:
        """The states of the versions that the server has of the model. Raises CannotRun if it does not answer."""
        return self._served.states()

    def move(self, to: int, *, sleep: Callable[[float], None] = time.sleep) -> str:
        """Have the label name another version, and wait until the server has taken it. Idempotent.

        Args:
            sleep: Waits so many seconds.
        """
        text = self.text()
        place: LabelPlace = find_label(text, self.model, self.label)
        if place.version != to:
            self.rewrite(with_version(text, place, to))
        done = f"The label {self.label} of {self.model} went from version {place.version} to version {to}"
        if place.version == to:
            done = f"The label {self.label} of {self.model} names version {to}"
        self._await(f"{done} in {self.file}", to, [self.label], sleep)
        return f"{done}; the server has taken it."

    def put_in_use(self, to: int, *, sleep: Callable[[float], None] = time.sleep) -> str:
        """Have the label and requests that name no version get a version, in one step. Idempotent.

        The policy names the version, and older ones that it named. Waits until the server has taken it.
        """
        text = self.text()
        changed = with_default(text, self.model, self.label, to)
        if changed != text:
            self.rewrite(changed)
        done = f"Requests of {self.model} by the label {self.label}, and those that name no version, get version {to}"
        self._await(f"{done}, says {self.file}", to, [self.label, None], sleep)
        return f"{done}; the server has taken it."

    def rewrite(self, text: str) -> None:
        """Write another text of the file. Raises CannotRun where that cannot be done."""
        try:
            rewrite_text(self.file, text)
        except OSError as error:
            raise CannotRun(
                "The model config file cannot be written. Nothing was changed.",
                got=f"{self.file}: {error.strerror}",
                expected="a file in a folder that this user may write",
                fix="Give this user the right to write there, or move the label by hand.",
            ) from error

    def _await(self, done: str, to: int, labels: Sequence[str | None], sleep: Callable[[float], None]) -> None:
        """Wait until the server answers with a version at these labels."""
        if not self._served.waits_for(to, labels, self.timeout, sleep=sleep):
            raise CannotRun(
                f"{done}, but the server has not taken it.",
                got=f"another version after {self.timeout.total_seconds():g} s",
                expected=f"version {to}",
                fix="Send the server SIGHUP, or start it with --model_config_file_poll_wait_seconds.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A model of a running server."""

    server: str
    model: str
    section: str

    @property
    def _address(self) -> str:
        return f"{self.server}/v1/models/{quote(self.model, safe='')}"

    def states(self) -> dict[int, str]:
        """The states of the versions that the server has of the model. Raises CannotRun if it does not answer."""
        try:
            document = self._document(self._address)
            return {int(status["version"]): str(status["state"]) for status in document["model_version_status"]}
        except (ValueError, KeyError, TypeError) as error:
            raise self._unknown("another answer") from error

    def waits_for(
        self,
        version: int,
        labels: Sequence[str | None],
        timeout: timedelta,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> bool:
        """Wait until these labels name a version; False if they do not in time.

        Args:
            labels: None is for requests that name neither version nor label.
            sleep: Waits so many seconds.
        """
        until = time.monotonic() + timeout.total_seconds()
        while time.monotonic() < until:
            if all(self.named(label) == version for label in labels):
                return True
            sleep(_EVERY)
        return False

    def named(self, label: str | None) -> int | None:
        """The version that a label names for the server, by its metadata; None while it does not know it."""
        path = "" if label is None else f"/labels/{quote(label, safe='')}"
        try:
            document = self._document(f"{self._address}{path}/metadata")
            return int(document["model_spec"]["version"])
        except (CannotRun, ValueError, KeyError, TypeError):
            return None

    def _document(self, address: str) -> Any:
        try:
            with build_opener(ProxyHandler({})).open(address, timeout=_ONE_LOOK) as answer:
                return json.loads(answer.read(_LONGEST_ANSWER))
        except HTTPError as error:
            raise self._unknown(f"status {error.code}") from error
        except (URLError, OSError) as error:
            raise self._unknown(str(getattr(error, "reason", error))) from error

    def _unknown(self, got: str) -> CannotRun:
        return CannotRun(
            "The server does not say which versions it has. Nothing was changed.",
            got=f"{got} from {self._address}",
            expected="the status of the model, as TensorFlow Serving's REST API has it",
            fix=f"Correct server in {self.section}, or start the server.",
        )
