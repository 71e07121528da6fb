"""Flags that say who may ask for what, and what a model may do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.option_groups import option_group
from pitfalls_tf.cli.serve.server_flags import FolderOrUrl
from serving.access.guard import TOKEN_VARIABLE
from serving.access.reload_policy import ReloadPolicy
from serving.access.tokens import Scope, Token, check_length, read_tokens
from serving.models.model_list import ModelsFolder, ModelsUrl
from serving.server.settings import AccessSettings
from serving.server.tf_serving_files import read_rest_tls

if TYPE_CHECKING:
    import ssl

    from serving.models.model_list import ModelListSource

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFlags:
    """Values of the flags."""

    rest_tls: bool
    token_file: Path | None
    require_token: tuple[str, ...]
    audit_log: Path | None
    allow_reload: bool
    model_roots: tuple[Path | str, ...]
    log_roots: tuple[Path, ...]
    allowed_operations: tuple[str, ...]
    allow_any_op: bool
    op_libraries: tuple[Path, ...]

    def settings(self, source: ModelListSource, *, verifies_clients: bool) -> AccessSettings:
        """Settings of who may ask for what.

        Args:
            source: where the list of models comes from; a folder of models is a root of its own.
            verifies_clients: whether gRPC clients must have a certificate.

        Raises:
            BadInput: a token file that cannot be used, or a reload without credential or root.
        """
        tokens = read_environment_token() if self.token_file is None else read_tokens(self.token_file)
        return AccessSettings(
            tokens=tokens,
            token_file=self.token_file,
            audit_log=self.audit_log,
            required=frozenset(map(Scope, self.require_token)),
            reload=self._reload(source, tokens, verifies_clients=verifies_clients),
        )

    def tls(self, ssl_config_file: Path | None) -> ssl.SSLContext | None:
        """What encrypts REST.

        Returns:
            The context; None for no encryption.

        Raises:
            BadInput: there is no such file, or it cannot be used.
        """
        if not self.rest_tls:
            return None
        if ssl_config_file is None:
            raise BadInput(
                "REST cannot be encrypted without a key.",
                got="--rest-tls without --ssl_config_file",
                expected="an SSLConfig with key and certificate",
                fix="Add --ssl_config_file FILE.",
            )
        return read_rest_tls(ssl_config_file)

    def _reload(
        self, source: ModelListSource, tokens: tuple[Token, ...], *, verifies_clients: bool
    ) -> ReloadPolicy | None:
        if not self.allow_reload:
            if self.model_roots or self.log_roots:
                raise BadInput(
                    "A root has no effect without reloads.",
                    got="--model-root or --log-root without --allow-reload",
                    expected="all of them, or none",
                    fix="Add --allow-reload, or leave the root out.",
                )
            return None
        if not verifies_clients and not any(token.allows(Scope.RELOAD) for token in tokens):
            raise BadInput(
                "Reloads need a credential.",
                got="--allow-reload without a token that allows reload",
                expected="a line TOKEN reload NAME in --token-file, or an --ssl_config_file with client_verify: true",
                fix='Create one, for example: (umask 077; echo "$(openssl rand -hex 16) reload deploy" > token)',
            )
        roots = self.model_roots or _own_roots(source)
        if not roots:
            raise BadInput(
                "Reloads need to know where models may lie.",
                got="--allow-reload without --model-root",
                expected="the folder below which the models are",
                fix="Add --model-root DIR, for example: --model-root /models",
            )
        # With a token file the token decides: a certificate may be every client's.
        takes_certificates = verifies_clients and not tokens
        return ReloadPolicy(model_roots=roots, log_roots=self.log_roots, takes_certificates=takes_certificates)


def _own_roots(source: ModelListSource) -> tuple[Path | str, ...]:
    """A folder of models, which is a root of its own."""
    if isinstance(source, ModelsFolder):
        return (source.folder,)
    return (source.url,) if isinstance(source, ModelsUrl) else ()


def read_environment_token() -> tuple[Token, ...]:
    """The token of the variable PITFALLS_TOKEN, which may send labels; empty without it.

    Raises:
        BadInput: it is too short.
    """
    text = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not text:
        return ()
    check_length(text, TOKEN_VARIABLE)
    return (Token.of(text, (Scope.LABELS,), "environment"),)


access_flags = option_group(
    "access",
    AccessFlags,
    (
        click.option("--rest-tls", is_flag=True, help="Encrypt REST, too, as --ssl_config_file says."),
        click.option("--token-file", type=click.Path(path_type=Path), help="File with the tokens of clients."),
        click.option(
            "--require-token",
            type=click.Choice(["predict", "metrics"]),
            multiple=True,
            help="Ask for a token here, too; labels and reloads always need one.",
        ),
        click.option("--audit-log", type=click.Path(path_type=Path), help="Record reloads, labels and refusals here."),
        click.option(
            "--allow-reload", is_flag=True, help="Clients with a credential may replace, load, unload models."
        ),
        click.option(
            "--model-root",
            "model_roots",
            type=FolderOrUrl(exists=True),
            metavar="DIR|URL",
            multiple=True,
            help="Where their models may lie.",
        ),
        click.option("--log-root", "log_roots", type=FOLDER, multiple=True, help="Where their logs may lie."),
        click.option(
            "--allow-op",
            "allowed_operations",
            multiple=True,
            metavar="OP",
            help="Load graphs with this operation, which is not one of those that only compute.",
        ),
        click.option(
            "--allow-any-op", is_flag=True, help="Load graphs with any operation: models may do what you may."
        ),
        click.option(
            "--op_library",
            "op_libraries",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            multiple=True,
            help="Load this library of operations that TensorFlow does not have.",
        ),
    ),
)
