"""What a contributor adds, by the recipes of CONTRIBUTING.md: the product files that each touches, and a use of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of one file: some text of it, which stands there once, and what it becomes; a new file without one."""

    path: str
    old: str = ""
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One kind of addition. `use`: a program that fails unless what was added works."""

    name: str
    changes: tuple[Change, ...]
    use: str

    @property
    def files(self) -> frozenset[str]:
        """The product files that it touches."""
        return frozenset(change.path for change in self.changes)


#: Begins each use: a reference of thirty days and four live ones, with answers, labels and numbers.
TABLES = """
from datetime import UTC, datetime, timedelta
import numpy as np, pandas as pd
from monitoring import Monitor

def table(first, days):
    draw, count = np.random.default_rng(days), 100 * days
    score = draw.uniform(0.05, 0.95, count)
    times = pd.date_range(first, periods=count, freq="864s", tz="UTC")
    return pd.DataFrame({"event_time": times, "income": draw.normal(2000.0, 300.0, count),
                         "p": score, "label": (draw.random(count) < score).astype(int),
                         "price": 10.0 * score + 1.0, "paid": 10.0 * score + 1.0 + draw.normal(0.0, 1.0, count)})

reference, live = table("2026-01-01", 30), table("2026-01-31", 4)
binary = {"scores": "p", "label": "label", "ignore": ["price", "paid"]}
numbers = {"predicted": "price", "label": "paid", "ignore": ["p", "label"], "task": "regression"}
"""

FACT = Recipe(
    name="a fact",
    changes=(
        Change(
            path="monitoring/records/finding_parts.py",
            old="#: What findings are made of, by what they are about.\nValueParts: TypeAlias = (\n    ConstantValues",
            new='''@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedAnswers:
    """Answers whose mean is that of the window before, to the last bit."""

    about: Literal["repeated answers"] = "repeated answers"
    mean: float


#: What findings are made of, by what they are about.
ValueParts: TypeAlias = (
    RepeatedAnswers | ConstantValues''',
        ),
        Change(
            path="monitoring/judging/facts/repeated_answers.py",
            new='''"""Answers that a cache gives: their mean is that of the window before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitoring.records import Finding, ScoreSum, WatchKey, WindowRecord
from monitoring.records.finding_parts import RepeatedAnswers


def repeated_answers(sums: Mapping[WatchKey, ScoreSum], history: Sequence[WindowRecord]) -> tuple[Finding, ...]:
    """The finding that answers are those of the window before. Returns one fact, or nothing."""
    before = {score.watch: score.value for score in history[-1].scores} if history else {}
    means = [total.mean for key, total in sums.items() if key.watch.startswith("output:") and total.rows
             if before.get(key.watch) == total.mean]
    if not means:
        return ()
    return (Finding(kind="answers repeated", feature="answers", fact=True, parts=RepeatedAnswers(mean=means[0])),)
''',
        ),
        Change(
            path="monitoring/judging/facts/fact_limits.py",
            old="from monitoring.judging.facts.traffic_volume import ANY_RANGE\n",
            new="from monitoring.judging.facts.repeated_answers import repeated_answers\n"
            "from monitoring.judging.facts.traffic_volume import ANY_RANGE\n",
        ),
        Change(
            path="monitoring/judging/facts/fact_limits.py",
            old="        gross = gross_findings(self.gross, window.sums, alpha)\n",
            new="        gross = gross_findings(self.gross, window.sums, alpha)\n"
            "        gross = (*gross, *repeated_answers(window.sums, window.history))\n",
        ),
        Change(
            path="monitoring/sentences/value_text.py",
            old="    AlikeValues,\n    AllMissing,\n",
            new="    AlikeValues,\n    AllMissing,\n    RepeatedAnswers,\n",
        ),
        Change(
            path="monitoring/sentences/value_text.py",
            old="    match parts:\n        case ConstantValues() as constant:\n",
            new="    match parts:\n        case RepeatedAnswers(mean=mean):\n"
            '            return f"The answers have the mean of the window before, {mean:.6f}, to the last bit."\n'
            "        case ConstantValues() as constant:\n",
        ),
    ),
    use="""
day = live[:100]
shifted = [day.assign(event_time=day.event_time + timedelta(days=number)) for number in range(4)]
result = Monitor.from_reference(reference, **binary).run(pd.concat(shifted))
(incident,) = [each for each in result.incidents if each.fact == "answers repeated"]
assert incident.level == "page"
assert "The answers have the mean of the window before" in result.to_pandas("incidents").message.sum()
""",
)

ROUTE = Recipe(
    name="a notification route",
    changes=(
        Change(
            path="monitoring/config/routes.py",
            old="class PluginRoute(RouteSection):\n",
            new='''class TopicRoute(RouteSection):
    """A text to a topic of a server that phones listen to."""

    ADDRESS = ("topic",)

    route: Literal["topic"]
    topic: Annotated[str, AfterValidator(alertmanager_url)] = Field(examples=["https://topics.example.org/models"])


class PluginRoute(RouteSection):
''',
        ),
        Change(
            path="monitoring/config/routes.py",
            old='    "apprise": AppriseRoute,\n',
            new='    "apprise": AppriseRoute,\n    "topic": TopicRoute,\n',
        ),
        Change(
            path="monitoring/notifications/routes/topic.py",
            new='''"""The topic route: a message as text."""

from __future__ import annotations

from monitoring.notifications.digest import Message
from monitoring.notifications.routes.request import RouteRequest


def topic_request(message: Message, *, url: str) -> RouteRequest:
    """The POST of a message."""
    return RouteRequest(url=url, body=message.text.encode(), headers={"title": "model"})
''',
        ),
        Change(
            path="monitoring/notifications/routes/sending.py",
            old="    SlackRoute,\n    WebhookRoute,\n)\n",
            new="    SlackRoute,\n    TopicRoute,\n    WebhookRoute,\n)\n",
        ),
        Change(
            path="monitoring/notifications/routes/sending.py",
            old="from monitoring.notifications.routes.secret import",
            new="from monitoring.notifications.routes.topic import topic_request\n"
            "from monitoring.notifications.routes.secret import",
        ),
        Change(
            path="monitoring/notifications/routes/sending.py",
            old="    PluginRoute: _plugin,\n",
            new="    PluginRoute: _plugin,\n"
            "    TopicRoute: lambda route, message, sender: _post(topic_request(message, url=route.topic), sender),\n",
        ),
    ),
    use="""
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from click.testing import CliRunner
from pitfalls_tf.cli import pitfalls

texts = []
class Topic(BaseHTTPRequestHandler):
    def do_POST(self):
        texts.append(self.rfile.read(int(self.headers["content-length"])).decode())
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass

server = HTTPServer(("127.0.0.1", 0), Topic)
threading.Thread(target=server.serve_forever, daemon=True).start()
monitor = Monitor.from_reference(reference, out="made", **binary)
config = Path("made/monitor.toml")
assert "topic" in config.read_text()
with config.open("a") as file:
    file.write(f'[[notify]]\\nroute = "topic"\\ntopic = "http://127.0.0.1:{server.server_port}/models"\\n')
done = CliRunner().invoke(pitfalls, ("monitor", "notify", "test", "--config", str(config)))
server.shutdown()
assert done.exit_code == 0, done.output
assert len(texts) == 1
""",
)

LOSS = Recipe(
    name="a loss of a task",
    changes=(
        Change(
            path="monitoring/tasks/regression.py",
            old='    Metric(name="percentage_error", title="Percentage error", unit="share"),\n',
            new='    Metric(name="percentage_error", title="Percentage error", unit="share"),\n'
            '    Metric(name="root_error", title="Root of the error", unit="score"),\n',
        ),
        Change(
            path="monitoring/tasks/regression.py",
            old='        return ("absolute_error", "squared_error", *(',
            new='        return ("absolute_error", "squared_error", "root_error", *(',
        ),
        Change(
            path="monitoring/tasks/regression.py",
            old='        losses = {"absolute_error": size, "squared_error": size**2}\n',
            new='        losses = {"absolute_error": size, "squared_error": size**2, "root_error": np.sqrt(size)}\n',
        ),
    ),
    use="""
from monitoring.watches.descriptions import watch_title

monitor = Monitor.from_reference(reference, **numbers)
scores = monitor.run(live.assign(paid=live.paid + 40.0)).to_pandas()
assert {"root_error", "surprise_root_error", "estimated_root_error"} <= set(scores.watch)
assert scores[scores.watch == "root_error"].value.notna().all()
assert watch_title("surprise_root_error") == "Root of the error above expectation"
""",
)

READER = Recipe(
    name="a reader of logs",
    changes=(
        Change(
            path="monitoring/traffic/foreign_logs/formats.py",
            old="#: The formats that are built in.\n",
            new='''def read_pairs(path: Path) -> Iterator[LoggedSide | None]:
    """Lines of an id, a time, a request and a response."""
    for line in path.read_text("utf-8").splitlines():
        call_id, time, request, response = line.split(" ")
        yield LoggedSide(id=call_id, side="request", body=request, at_us=microseconds(time))
        yield LoggedSide(id=call_id, side="response", body=response)


#: The formats that are built in.
''',
        ),
        Change(
            path="monitoring/traffic/foreign_logs/formats.py",
            old='    "feast": read_feast,\n',
            new='    "feast": read_feast,\n    "pairs": read_pairs,\n',
        ),
    ),
    use="""
from pathlib import Path
from click.testing import CliRunner
from pitfalls_tf.cli import pitfalls

Path("log").mkdir()
rows = zip(reference.event_time, reference.income, reference.p)
lines = [f'{place} {time.isoformat()} {{"income":{income}}} [{p}]' for place, (time, income, p) in enumerate(rows)]
Path("log", "a.csv").write_text("\\n".join(lines))
run = lambda *words: CliRunner().invoke(pitfalls, words)
made = run("monitor", "init", "--log", "pairs", "--reference", "log", "--task", "inputs", "--traffic", "log")
assert made.exit_code == 0, made.output
assert "The log has 3,000 rows of 3,000 calls" in made.stderr
assert "feast, pairs" in run("monitor", "init", "--help").output
""",
)

ENGINE = Recipe(
    name="an engine",
    changes=(
        Change(
            path="monitoring/config/engine_section.py",
            old='ENGINE_KINDS: Final = ("local", "processes",',
            new='ENGINE_KINDS: Final = ("local", "threads", "processes",',
        ),
        Change(
            path="monitoring/engines/threads.py",
            new='''"""Tasks in threads of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from monitoring.engines.codec import decoded
from monitoring.engines.engine import Work
from monitoring.engines.partial import Partial
from monitoring.engines.processes import run_task
from monitoring.engines.recipe import Recipe


class ThreadEngine:
    """Runs tasks in threads."""

    tasks = 0

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """See `Engine`."""
        with ThreadPoolExecutor(2) as pool:
            for partials in pool.map(lambda task: run_task(recipe.packed, task), work):
                self._meanwhile()
                ThreadEngine.tasks += 1
                yield from (decoded(data, recipe) for data in partials)
''',
        ),
        Change(
            path="monitoring/sources/traffic.py",
            old="    if config.engine.is_plugin:\n",
            new='    if config.engine.kind == "threads":\n        return ThreadEngine(meanwhile)\n'
            "    if config.engine.is_plugin:\n",
        ),
        Change(
            path="monitoring/sources/traffic.py",
            old="from monitoring.engines.spark import",
            new="from monitoring.engines.threads import ThreadEngine\nfrom monitoring.engines.spark import",
        ),
    ),
    use="""
from monitoring.engines.threads import ThreadEngine

windows = {}
for kind in ("local", "threads"):
    monitor = Monitor.from_reference(reference, settings={"engine": {"kind": kind}}, **binary)
    windows[kind] = monitor.run(live.assign(income=9.0)).windows
assert windows["local"] == windows["threads"] and len(windows["local"]) > 2
assert ThreadEngine.tasks
""",
)

FAMILY = Recipe(
    name="a watch family",
    changes=(
        Change(
            path="monitoring/watches/certainty.py",
            new='''"""How often an answer is nearly certain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.watches.family import AnsweredCounts, Counts, ScoredRows, Sums, WatchFamily
from monitoring.watches.scoring import fixed_point_sum


@dataclass(frozen=True, kw_only=True)
class CertainAnswers(WatchFamily):
    """The share of rows of which one class has a probability of nine tenths."""

    @property
    def watches(self) -> tuple[Watch, ...]:
        """One watch."""
        return (Watch(name="certain", family="outputs", level="notice", needs_label=False, direction="both"),)

    def tally_answers(self, rows: ScoredRows, power: int) -> Counts:
        """See `WatchFamily`: ones and zeros, which no power changes."""
        certain = (rows.probabilities.max(axis=1, initial=0.0) >= 0.9).astype(np.float64)
        return {"certain": np.array(fixed_point_sum(certain))}

    def answer_sums(self, answered: AnsweredCounts, power: int) -> Sums:
        """See `WatchFamily`."""
        tally = answered.tally
        return {WatchKey(watch="certain"): ScoreSum(tally.number("rows"), tally.number("certain"))}
''',
        ),
        Change(
            path="monitoring/watches/catalogue.py",
            old="from monitoring.watches.classes import ClassSlices\n",
            new="from monitoring.watches.certainty import CertainAnswers\n"
            "from monitoring.watches.classes import ClassSlices\n",
        ),
        Change(
            path="monitoring/watches/catalogue.py",
            old="        OutputWatches(task=task),\n",
            new="        OutputWatches(task=task),\n        CertainAnswers() if spec.classes else None,\n",
        ),
    ),
    use="""
monitor = Monitor.from_reference(reference, settings={"engine": {"kind": "processes", "workers": 1}}, **binary)
scores = monitor.run(live).to_pandas()
certain = scores[scores.watch == "certain"]
assert certain.rows.sum() == 100 * len(monitor.result().windows) > 0
expected = float((np.maximum(live.p, 1.0 - live.p)[:100] >= 0.9).mean())
assert abs(certain.value.iloc[0] - expected) < 1e-9
""",
)

ROLE = Recipe(
    name="a role of a column",
    changes=(
        Change(
            path="monitoring/config/table_section.py",
            old='    naive_timezone: Zone = Field(default="UTC", examples=["UTC"])\n',
            new='    naive_timezone: Zone = Field(default="UTC", examples=["UTC"])\n'
            '    session: Annotated[Name | None, ColumnOf("left out")] = Field(default=None, examples=["session"])\n',
        ),
        Change(
            path="pitfalls_tf/cli/monitor/init.py",
            old='@click.option("--prediction-id", metavar="COLUMN", help="Unique id of the prediction.")\n',
            new='@click.option("--prediction-id", metavar="COLUMN", help="Unique id of the prediction.")\n'
            '@click.option("--session", metavar="COLUMN", help="Id of the session.")\n',
        ),
        Change(
            path="monitoring/notebook/monitor.py",
            old="        prediction_id: str | None = None,\n        classes:",
            new="        prediction_id: str | None = None,\n        session: str | None = None,\n        classes:",
        ),
        Change(
            path="monitoring/notebook/monitor.py",
            old="            prediction_id=prediction_id,\n            classes=",
            new="            prediction_id=prediction_id,\n            session=session,\n            classes=",
        ),
    ),
    use="""
from pathlib import Path
from click.testing import CliRunner
from monitoring.config import load_config, settings_digest
from monitoring.deployment.deployment import Deployment
from pitfalls_tf.cli import pitfalls

reference = reference.assign(sid=np.arange(len(reference)) % 7, other=0.5 * reference.income)
monitor = Monitor.from_reference(reference, session="sid", **binary)
assert [role.role for role in monitor.columns if role.name == "sid"] == ["left out"]

reference.to_parquet("reference.parquet")
words = ("--score", "p", "--label", "label", "--ignore", "price,paid,sid,other", "--session")
digests = []
for name in ("sid", "other"):
    made = CliRunner().invoke(
        pitfalls, ("monitor", "init", "--reference", "reference.parquet", *words, name, "--out", name)
    )
    assert made.exit_code == 0, made.output
    config = load_config(Path(name, "monitor.toml"))
    assert config.traffic.session == name
    digests.append(settings_digest(config))
assert digests[0] != digests[1]
""",
)

SHOWN = Recipe(
    name="a shown metric",
    changes=(
        Change(
            path="monitoring/watches/measured/class_metrics.py",
            old='            "recall": _ratio(hits, positives, np.nan),\n',
            new='            "recall": _ratio(hits, positives, np.nan),\n'
            '            "specificity": _ratio(counts[0, 0].sum(axis=1), negatives, np.nan),\n',
        ),
        Change(
            path="monitoring/tasks/metrics.py",
            old='        Metric(name="macro_auc", title="Macro AUC", unit="score"),\n',
            new='        Metric(name="specificity", title="Specificity", unit="share"),\n'
            '        Metric(name="macro_auc", title="Macro AUC", unit="score"),\n',
        ),
    ),
    use="""
from monitoring.watches.descriptions import metric_title

(first, *_) = Monitor.from_reference(reference, **binary).run(live).windows
(found,) = [metric for metric in first.measured if metric.metric == "specificity"]
day = live[:100]
assert found.rows == len(day) and found.low < found.value < found.high
assert abs(found.value - (day.p[day.label == 0] < 0.5).mean()) < 1e-12
assert metric_title("specificity") == "Specificity"
""",
)

RECIPES = (FACT, ROUTE, LOSS, SHOWN, READER, ENGINE, FAMILY, ROLE)
