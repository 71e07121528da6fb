"""Who may ask for what: flags, and contradictions that are refused before anything is loaded."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest

from monitoring.errors import BadInput
from serving.access.reload_policy import ReloadPolicy
from serving.access.tokens import Scope
from serving.models.model_list import ModelsFolder, SingleModel
from serving.server.settings import AccessSettings
from tests.pitfalls_tf.cli.serve.parsed_flags import ParsedFlags
from tests.serving.certificates import ssl_file

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "a-token-of-the-test"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PITFALLS_TOKEN", raising=False)


@pytest.fixture
def token(tmp_path: Path) -> str:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN} reload,labels deploy\n")
    file.chmod(0o600)
    return str(file)


def settings(folder: Path, *arguments: str, verifies_clients: bool = False, **source: Any) -> AccessSettings:
    origin = source.get("source", ModelsFolder(folder=folder))
    return ParsedFlags(*arguments).access.settings(origin, verifies_clients=verifies_clients)


def test_by_default_nobody_reloads(tmp_path: Path) -> None:
    assert settings(tmp_path) == AccessSettings()


def test_reloads_need_a_credential_and_a_root(tmp_path: Path, token: str) -> None:
    with pytest.raises(BadInput, match="Reloads need a credential"):
        settings(tmp_path, "--allow-reload")
    policy = settings(tmp_path, "--allow-reload", "--token-file", token).reload
    assert policy == ReloadPolicy(model_roots=(tmp_path,))
    one = SingleModel(name="m", base=tmp_path)
    with pytest.raises(BadInput, match="where models may lie"):
        settings(tmp_path, "--allow-reload", "--token-file", token, source=one)
    roots = ("--model-root", str(tmp_path), "--log-root", str(tmp_path))
    policy = settings(tmp_path, "--allow-reload", "--token-file", token, *roots, source=one).reload
    assert policy == ReloadPolicy(model_roots=(tmp_path,), log_roots=(tmp_path,))
    with pytest.raises(BadInput, match="no effect without reloads"):
        settings(tmp_path, *roots)


def test_a_certificate_is_a_credential_where_there_is_no_token(tmp_path: Path, token: str) -> None:
    for more, takes in (((), True), (("--token-file", token), False)):
        policy = settings(tmp_path, "--allow-reload", *more, verifies_clients=True).reload
        assert policy is not None
        assert policy.takes_certificates is takes


def test_the_environments_token_may_send_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITFALLS_TOKEN", TOKEN)
    (found,) = settings(tmp_path, "--require-token", "metrics").tokens
    assert (found.name, set(found.scopes)) == ("environment", {Scope.LABELS})
    monkeypatch.setenv("PITFALLS_TOKEN", "hunter2")
    with pytest.raises(BadInput, match=r"PITFALLS_TOKEN: 7 bytes") as caught:
        settings(tmp_path)
    assert "hunter2" not in str(caught.value)


def test_rest_is_encrypted_only_with_a_key(tmp_path: Path) -> None:
    assert ParsedFlags().access.tls(None) is None
    flags = ParsedFlags("--rest-tls").access
    with pytest.raises(BadInput, match="without --ssl_config_file"):
        flags.tls(None)
    context = flags.tls(ssl_file(tmp_path, client_verify=True))
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    broken = tmp_path / "broken"
    broken.write_text('server_key: "planted-key" server_cert: "no certificate"')
    with pytest.raises(BadInput, match="cannot be used for REST") as caught:
        flags.tls(broken)
    assert "planted" not in str(caught.value)
