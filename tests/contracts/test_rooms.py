"""A file is one noun and fits on a few screens; a function fits on one."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

from tests.contracts.conftest import Nodes

LINES_IN_A_FILE = 500
LINES_IN_A_FUNCTION = 60
PARAMETERS = 6
#: Rooms of one file, with the reason.
SINGLE: dict[str, str] = {
    "monitoring/store/migrations/versions": "alembic wants its revisions in a folder of their own",
    "pitfalls_tf/data": "data files",
}
#: Class names that stand twice in a package, with the reason.
SAME_NAME: dict[tuple[str, str], str] = {}
#: Doors of the Python API, whose parameters an editor shows with a line each; not counted as long or as wide.
DOORS = {"chosen_setup", "drill_monitor", "export", "from_reference", "train"}
#: Classes behind a protocol: what differs between them is a member of it, and nobody asks which one there is.
BEHIND_PROTOCOLS = {"CalendarPlan", "LogSource", "ReplayedTraffic", "RowPlan", "TableSource"}
#: How many places outside `monitoring/tasks` ask which kind of task there is: it may only fall.
QUESTIONS = 38
KINDS = {"exclusive", "is_binary", "is_multilabel", "number_names", "outputs_judged"}
TASKS = {"each", "judged", "output", "part", "task"}
TASK_CLASSES = {
    *("Classification", "Multilabel", "OutputsOnly", "Ranking", "Regression", "SeveralTasks", "VectorRegression")
}
NO_NOUN = {"common", "helper", "helpers", "legacy", "misc", "new", "shared", "util", "utils", "v2"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.fixture(scope="module")
def functions(nodes: Nodes) -> dict[str, tuple[int, int]]:
    """The lines and parameters of every function and method of the tree but the doors, by file and name."""
    return {
        f"{name}:{node.lineno} {node.name}": ((node.end_lineno or 0) - node.lineno + 1, parameters(node))
        for name, inside in nodes.items()
        for node in inside
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in DOORS
    }


def parameters(function: Function) -> int:
    """How many parameters a caller has to think of."""
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len([argument for argument in given if argument.arg not in {"self", "cls"}])


def test_a_file_fits_on_a_few_screens(modules: dict[str, Path]) -> None:
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules.items()}
    assert not {name: count for name, count in lines.items() if count > LINES_IN_A_FILE}, "split by noun"


def test_a_file_is_named_after_what_it_knows(modules: dict[str, Path]) -> None:
    assert not [name for name in modules if NO_NOUN & {*PurePosixPath(name).with_suffix("").parts}]


def test_a_function_fits_on_a_screen(functions: dict[str, tuple[int, int]]) -> None:
    assert not {name: count for name, (count, _) in functions.items() if count > LINES_IN_A_FUNCTION}


def test_a_function_takes_few_parameters(functions: dict[str, tuple[int, int]]) -> None:
    """Verbs apart: they have as many parameters as flags."""
    too_many = {name: count for name, (_, count) in functions.items() if count > PARAMETERS}
    assert not {name: count for name, count in too_many.items() if not name.startswith("pitfalls_tf/cli/")}


def test_no_room_holds_a_single_file(modules: dict[str, Path]) -> None:
    rooms = {name.removesuffix("/__init__.py") for name in modules if name.endswith("/__init__.py")}
    files = [name for name in modules if not name.endswith("__init__.py")]
    contents = Counter(PurePosixPath(name).parent.as_posix() for name in [*files, *rooms])
    assert {room for room in rooms if contents[room] < 2} == set(SINGLE)


def test_a_class_name_means_one_thing_in_a_package(nodes: Nodes) -> None:
    found: dict[tuple[str, str], list[str]] = {}
    aliases: set[tuple[str, str]] = set()
    for name, (module, *_) in nodes.items():
        for node in ast.iter_child_nodes(module):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault((name.split("/")[0], node.name), []).append(name)
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
                aliases.add((name.split("/")[0], ast.unparse(node.target)))
    assert not {key: names for key, names in found.items() if len(names) > 1 and key not in SAME_NAME}
    assert not found.keys() & aliases


def test_nobody_asks_for_a_class_behind_a_protocol(nodes: Nodes) -> None:
    """A window plan or a source of traffic of another kind needs no other file than its own."""
    asked = {
        f"{name}:{call.lineno}"
        for name, inside in nodes.items()
        for call in inside
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "isinstance"
        if BEHIND_PROTOCOLS & {node.id for node in ast.walk(call.args[1]) if isinstance(node, ast.Name)}
    }
    assert not asked


def test_fewer_and_fewer_places_ask_for_a_kind_of_task(nodes: Nodes) -> None:
    """What a kind of model does is a member of `monitoring.tasks.task.Task`; who draws or writes each kind may ask."""
    asked = [
        f"{name}:{node.lineno}"
        for name, inside in nodes.items()
        if not name.startswith("monitoring/tasks/")
        for node in inside
        if isinstance(node, ast.expr) and asks_for_a_kind(node)
    ]
    assert len(asked) == QUESTIONS, f"lower QUESTIONS if there are fewer, else make a member of Task: {asked}"


def asks_for_a_kind(node: ast.expr) -> bool:
    """Whether an expression asks which kind of task there is."""
    if isinstance(node, ast.Attribute):
        return node.attr in KINDS and is_a_task(node.value)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    if node.func.id == "isinstance":
        return bool(TASK_CLASSES & {each.id for each in ast.walk(node.args[1]) if isinstance(each, ast.Name)})
    return node.func.id in {"numbers_of", "ranking_of"} and is_a_task(node.args[0])


def is_a_task(node: ast.expr) -> bool:
    """Whether an expression is called as tasks are, itself or its last attribute."""
    name = getattr(node, "attr", getattr(node, "id", ""))
    return name in TASKS or name.endswith("_task")


def test_it_is_seen_who_asks_for_a_kind_of_task() -> None:
    asks = ["spec.task.exclusive", "output_task.is_binary", "ranking_of(spec.task)", "isinstance(a, (int, Ranking))"]
    others = ["columns.exclusive", "task.labels_in_parts", "isinstance(Ranking, type)", "numbers_of(config)"]
    found = [asks_for_a_kind(ast.parse(text, mode="eval").body) for text in [*asks, *others]]
    assert found == [True] * len(asks) + [False] * len(others)
