"""Imports the functions of a config's own metrics: this alone runs code that a config names."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

from monitoring.config import MetricSection, MonitorConfig
from monitoring.deployment.metrics.metric_file import MetricFile, find_metric_file
from monitoring.errors import BadInput, CannotRun
from monitoring.records import Finding, MetricCode
from monitoring.watches.custom.custom_metric import CustomMetric, CustomMetrics

#: The digests of the files of installed modules when this process imported them.
_IMPORTED: dict[str, str] = {}


def load_metrics(config: MonitorConfig) -> CustomMetrics:
    """Import the functions of a config's metrics.

    A file in the config's folder gets a name of its own in this process, so that configs with files of one name do not
    meet, and no file can stand for an installed module; `sys.path` stays as it is.
    """
    return CustomMetrics(metrics=tuple(_load(metric) for metric in config.metric))


def _load(metric: MetricSection) -> CustomMetric:
    file = find_metric_file(metric)
    if file is None:
        raise _error(
            metric,
            got=f"no module {metric.module} of Python source",
            expected=f"{metric.module}.py in {metric.folder}, or a module that Python can import",
        )
    try:
        module = _module_beside(file) if file.beside_config else _installed(metric.module, file)
    except CannotRun:
        raise
    except (Exception, SystemExit) as error:
        raise _error(
            metric, got=f"{type(error).__name__}: {error}, from {file.path}", expected="a module that can be imported"
        ) from error
    function = getattr(module, metric.function_name, None)
    if not callable(function):
        named = [
            name for name, value in vars(module).items() if callable(value) and value.__module__ == module.__name__
        ]
        raise _error(
            metric,
            got=f"no function {metric.function_name} in {file.path}" if function is None else f"{function!r:.60}",
            expected=f"one of: {', '.join(named[:10])}" if named else "a function",
        )
    if getattr(function, "__module__", None) != module.__name__:
        raise _error(
            metric,
            got=f"one that {metric.module} has from {getattr(function, '__module__', 'another module')}",
            expected="the module that defines it: its file tells when the function changes",
        )
    return CustomMetric(
        name=metric.name,
        function=function,
        place=metric.function,
        file=file.path.name,
        inputs=metric.inputs,
        higher_is_better=metric.higher_is_better,
    )


def _module_beside(file: MetricFile) -> ModuleType:
    """The module of a file in a config's folder, run once for each path and content."""
    digest = hashlib.sha256(f"{file.path}\0{file.digest()}".encode()).hexdigest()[:16]
    name = f"monitor_metrics_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file.path)
    assert spec is not None  # noqa: S101 - for the type checker: it is a file of Python source
    assert spec.loader is not None  # noqa: S101 - as above
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(compile(file.path.read_bytes(), file.path, "exec"), module.__dict__)  # noqa: S102 - what the config names
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _installed(name: str, file: MetricFile) -> ModuleType:
    digest = file.digest()
    module = importlib.import_module(name)
    if _IMPORTED.setdefault(name, digest) != digest:
        raise CannotRun(
            f"The module {name} was changed after it had been imported.",
            got=f"another {file.path} than this process has",
            expected="the file as it was imported",
            fix="Restart the process; a file in the config's folder is read anew with each change.",
        )
    return module


def _error(metric: MetricSection, *, got: str, expected: str) -> BadInput:
    return BadInput(
        f"The function of the metric {metric.name} cannot be used.",
        got=got,
        expected=expected,
        fix=f"Correct `function` of the metric ({metric.function}), or the file.",
    )


#: The kind of finding about a metric whose function has changed.
METRIC_CHANGED = "metric changed"


def metric_changes(before: Sequence[MetricCode], after: Sequence[MetricCode]) -> tuple[Finding, ...]:
    """Findings about metrics whose function is another one than that of the deployment before.

    >>> was = MetricCode(name="missed_calls", function="own:missed", digest="3f2a" * 16)
    >>> now = MetricCode(name="missed_calls", function="own:missed", digest="9b1c" * 16)
    >>> metric_changes([was], [now])[0].message
    'The code of the metric missed_calls has changed (own:missed, file 3f2a3f2a to 9b1c9b1c): evidence begins anew.'
    """
    codes = {code.name: code for code in before}
    return tuple(
        Finding(kind=METRIC_CHANGED, feature=code.name, message=_message(codes[code.name], code))
        for code in after
        if code.name in codes and codes[code.name] != code
    )


def _message(was: MetricCode, now: MetricCode) -> str:
    place = now.function if was.function == now.function else f"{was.function} to {now.function}"
    files = f"file {was.digest[:8]} to {now.digest[:8]}" if was.digest != now.digest else "the same file"
    return f"The code of the metric {now.name} has changed ({place}, {files}): evidence begins anew."
