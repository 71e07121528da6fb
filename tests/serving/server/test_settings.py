"""The defaults of a server's settings, and that its token is not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.access.tokens import Token
from serving.models.model_list import ModelsFolder
from serving.server.settings import AccessSettings, Limits, ModelRepositorySettings, ServeSettings
from serving.transport.sockets import Address

if TYPE_CHECKING:
    from pathlib import Path


def test_by_default_http_is_served_alone_on_the_loopback_interface_and_nothing_is_logged(tmp_path: Path) -> None:
    settings = ServeSettings(repository=ModelRepositorySettings(source=ModelsFolder(folder=tmp_path)))
    assert settings.address == Address(host="127.0.0.1", port=8501, flag="--rest-port")
    assert (settings.grpc, settings.traffic, settings.access) == (None, None, AccessSettings())
    assert (settings.limits.timeout_s, settings.limits.drain_s) == (30.0, 30.0)


def test_versions_are_polled_every_second_and_a_config_file_on_demand(tmp_path: Path) -> None:
    repository = ModelRepositorySettings(source=ModelsFolder(folder=tmp_path))
    assert (repository.poll_s, repository.config_poll_s, repository.may_label_unavailable) == (1.0, 0.0, False)
    assert (repository.loading.warm_ups, repository.loading.tags) == (1, ("serve",))


def test_the_token_is_in_no_text_of_the_settings(tmp_path: Path) -> None:
    repository = ModelRepositorySettings(source=ModelsFolder(folder=tmp_path))
    access = AccessSettings(tokens=(Token.of("secret"),))
    assert "secret" not in repr(ServeSettings(repository=repository, access=access))


def test_settings_are_equal_by_value() -> None:
    assert Limits() == Limits()
    assert Limits(timeout_s=None) != Limits()
