"""``pitfalls monitor remove``: say that a config was removed on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from monitoring.config.files import ConfigFile
from monitoring.config.made_beside import state_folder
from monitoring.errors import BadInput
from monitoring.service.registry import ConfigRegistry, registry_path
from pitfalls_tf.cli.monitor.options import state_option
from pitfalls_tf.cli.output import Output, one_line, with_output


@click.command()
@click.argument("names", nargs=-1, metavar="NAME")
@click.option(
    "--configs", required=True, metavar="DIR_OR_GLOB", help="The configs, as `pitfalls monitor serve` has them."
)
@state_option
@with_output
def command(names: tuple[str, ...], configs: str, state: Path | None, *, output: Output) -> int:
    """Say that a config was removed on purpose.

    `pitfalls monitor serve` does not expect it any more. NAME is the path of a config whose file is gone, or its name
    as the service has it, such as shop/monitor.toml. Without one, lists the configs that are missing. The history of
    their deployments stays in the store.
    """
    registry = ConfigRegistry(registry_path(state or state_folder(), configs))
    missing = {path: since for path, since in registry.read().items() if not path.exists()}
    called = {path: ConfigFile(path=path, config=None).name for path in registry.read()}
    removed = [_chosen(name, called, missing) for name in names]
    for path in removed:
        registry.remove(path)
    left = [path for path in missing if path not in removed]
    lines = [f"Removed: {path}" for path in removed] if removed else [f"Missing: {path}" for path in left]
    output.finish(
        {"removed": [str(path) for path in removed], "missing": [str(path) for path in left]},
        lambda: click.echo("\n".join(map(one_line, lines)) or "No config is missing."),
    )
    return 0


def _chosen(name: str, called: dict[Path, str], missing: Iterable[Path]) -> Path:
    """The path of a config by its path or its name. Raises BadInput if none is expected, or several are."""
    path = Path(name).absolute()
    if path in called:
        return path
    matches = [path for path, word in called.items() if word == name]
    if len(matches) == 1:
        return matches[0]
    raise BadInput(
        "No config of this name is expected." if not matches else "Several configs have this name.",
        got=name,
        expected=", ".join(str(path) for path in matches or missing) or "the name of a missing config",
        fix="Give the path of its file; without a name, those that are missing are listed.",
    )
