"""What a graph must not do is found wherever it is put: behind a function, a gradient, an attribute or a name."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef, MetaGraphDef

from serving.models.loading import LoadSettings, load_version
from serving.models.operations.graph_check import NAMES_RESOURCE, NOT_AN_ASSET, NOT_ITS_CHECKPOINT, refusals
from serving.models.operations.graph_form import GENERIC, NAMED_AS_OPERATION, NOT_THERE, TWICE, UNBOUND, Refusal, shown
from serving.models.runner import ANY_OPERATION, LoadError
from tests.serving.hostile_models import HOSTILE, STRING, call, function, graph_of, node, reads_table, saves, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_is_refused_and_does_what_it_is_for_where_nothing_is_checked(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("planted\n")
    version = HOSTILE[name](tmp_path / "1", file=secret)
    with pytest.raises(LoadError):
        load_version(version)
    if name == "linked_asset":  # its graph is honest, and no flag makes a link one
        return
    runner = load_version(version, LoadSettings(allowed_operations=(ANY_OPERATION,)))
    wanted = secret if "read" in name or name == "empty_name" else tmp_path / "made"
    answer = runner.run(runner.signatures["serving_default"], {"x": np.array(str(wanted).encode(), object)}, ["y"])
    runner.close()
    if wanted == secret:
        assert b"planted" in bytes(answer["y"].item())
    else:
        assert list(tmp_path.glob("made*")) or secret.read_text() != "planted\n"


def in_main(nodes: list[Any], result: str) -> MetaGraphDef:
    """A graph whose signature calls a function of these nodes."""
    return asked(graph_of(call("y", "f0", "x"), functions=[function("f0", ["x"], nodes, result)]))


def asked(graph: Any, output: str = "y:0") -> MetaGraphDef:
    meta = MetaGraphDef(graph_def=graph)
    meta.signature_def["serving_default"].inputs["x"].name = "x:0"
    meta.signature_def["serving_default"].outputs["y"].name = output
    return meta


def printing(stream: bytes) -> list[Any]:
    return [node("print", "PrintV2", ["x"], output_stream=stream), node("same", "Identity", ["x", "^print"], T=STRING)]


RESTORES = [
    text("names", [b"a"]),
    text("slices", [b""]),
    node("got", "RestoreV2", ["x", "names:output:0", "slices:output:0"], dtypes=[STRING]),
]
#: Nodes of a function of ``x``, and its result.
FORBIDDEN: dict[str, tuple[list[Any], str]] = {
    "ReadFile": ([node("read", "ReadFile", ["x"])], "read:contents:0"),
    "WriteFile": (
        [node("w", "WriteFile", ["x", "x"]), node("same", "Identity", ["x", "^w"], T=STRING)],
        "same:output:0",
    ),
    "SaveV2": (saves("x"), "done:output:0"),
    "RestoreV2": (RESTORES, "got:tensors:0"),
    "InitializeTableFromTextFileV2": (reads_table("x"), "joined:output:0"),
    "PrintV2": (printing(b"file:///made"), "same:output:0"),
}
HARMLESS: tuple[list[Any], str] = (printing(b"stderr"), "same:output:0")


def wrap_call(graph: Any, inner: str, name: str) -> None:
    graph.library.function.append(function(name, ["x"], [call("c", inner, "x")], "c:output:0"))


def wrap_by_name(graph: Any, inner: str, name: str) -> None:
    graph.library.function.append(function(name, ["x"], [node("c", inner, ["x"])], "c:y:0"))


def wrap_branch(graph: Any, inner: str, name: str) -> None:
    branch = node(
        "c", "If", ["x", "x"], then_branch=inner, else_branch=inner, Tcond=STRING, Tin=[STRING], Tout=[STRING]
    )
    graph.library.function.append(function(name, ["x"], [branch], "c:output:0"))


def wrap_case(graph: Any, inner: str, name: str) -> None:
    case = node("c", "Case", ["x", "x"], Tin=[STRING], Tout=[STRING])
    case.attr["branches"].list.func.add(name=inner)
    graph.library.function.append(function(name, ["x"], [case], "c:output:0"))


def wrap_gradient(graph: Any, inner: str, name: str) -> None:
    back = function(f"{name}_back", ["x", "dy"], [call("c", inner, "x")], "c:output:0")
    forward = function(f"{name}_forward", ["x"], [node("same", "Identity", ["x"], T=STRING)], "same:output:0")
    calling = node("c", "SymbolicGradient", ["x", "x"], f=forward.signature.name, Tin=[STRING, STRING], Tout=[STRING])
    graph.library.function.extend([back, forward, function(name, ["x"], [calling], "c:output:0")])
    graph.library.gradient.add(function_name=forward.signature.name, gradient_func=back.signature.name)


def wrap_bound(graph: Any, inner: str, name: str) -> None:
    """The called function runs the one that its caller binds to an attribute."""
    body = node("c", "StatefulPartitionedCall", ["x"], Tin=[STRING], Tout=[STRING])
    body.attr["f"].placeholder = "bound"
    calling = call("c", f"{name}_body", "x")
    calling.attr["f"].func.attr["bound"].func.name = inner
    graph.library.function.extend(
        [function(f"{name}_body", ["x"], [body], "c:output:0"), function(name, ["x"], [calling], "c:output:0")]
    )


def wrap_default(graph: Any, inner: str, name: str) -> None:
    """As `wrap_bound`, but by the default of the function's own attribute."""
    body = node("c", "StatefulPartitionedCall", ["x"], Tin=[STRING], Tout=[STRING])
    body.attr["f"].placeholder = "bound"
    wrapped = function(name, ["x"], [body], "c:output:0")
    default = wrapped.signature.attr.add(name="bound", type="func").default_value
    default.func.name = inner
    graph.library.function.append(wrapped)


def wrap_interface(graph: Any, inner: str, name: str) -> None:
    """TensorFlow may run a function in place of another one that has the same interface."""
    same = function(f"{name}_harmless", ["x"], [node("same", "Identity", ["x"], T=STRING)], "same:output:0")
    other = function(f"{name}_other", ["x"], [call("c", inner, "x")], "c:output:0")
    for each in (same, other):
        each.attr["api_implements"].s = name.encode()
    calling = function(name, ["x"], [call("c", same.signature.name, "x")], "c:output:0")
    graph.library.function.extend([same, other, calling])


#: Each adds a function that runs another one. What TensorFlow itself exports:
PLAIN = (wrap_call, wrap_by_name, wrap_branch, wrap_case, wrap_interface)
#: And what hides a function from who reads names only.
HIDING = (wrap_gradient, wrap_bound, wrap_default)


def wrapped(nodes: list[Any], result: str, wraps: list[Any]) -> MetaGraphDef:
    nodes = copy.deepcopy(nodes)
    graph = in_main(nodes, result).graph_def
    for number, wrap in enumerate(wraps):
        wrap(graph, f"f{number}", f"f{number + 1}")
    graph.node[1].attr["f"].func.name = f"f{len(wraps)}"
    return asked(graph)


@given(
    st.sampled_from(sorted(FORBIDDEN)),
    st.lists(st.sampled_from(PLAIN + HIDING), max_size=4),
    st.sampled_from([None, "duplicate", "empty", "shadow"]),
)
@settings(max_examples=300, deadline=None)
def test_no_indirection_hides_what_is_forbidden(operation: str, wraps: list[Any], trick: str | None) -> None:
    meta = wrapped(*FORBIDDEN[operation], wraps)
    if trick is not None:
        hide(meta.graph_def, trick)
    found = refusals(meta)
    assert found
    if trick is None and not {wrap_bound, wrap_default} & set(wraps):
        assert [refusal.operation for refusal in found] == [operation]


def hide(graph: Any, trick: str) -> None:
    """Add a harmless function whose name takes the place of another one's in an index by names."""
    name = {"duplicate": "f0", "empty": "", "shadow": "ReadFile"}[trick]
    harmless = function("f", ["x"], [node("same", "Identity", ["x"], T=STRING)], "same:output:0")
    harmless.signature.name = name
    graph.library.function.append(harmless)


@given(st.lists(st.sampled_from((*PLAIN, wrap_gradient)), max_size=4))
@settings(max_examples=100, deadline=None)
def test_no_indirection_makes_a_harmless_graph_refused(wraps: list[Any]) -> None:
    assert refusals(wrapped(*HARMLESS, wraps)) == ()


@given(st.lists(st.sampled_from((*PLAIN, wrap_gradient, wrap_bound, wrap_default)), max_size=4))
@settings(max_examples=50, deadline=None)
def test_what_a_caller_binds_is_refused_whatever_it_is(wraps: list[Any]) -> None:
    is_bound = bool({wrap_bound, wrap_default} & set(wraps))
    assert (UNBOUND in {reason for _, reason in refusals(wrapped(*HARMLESS, wraps))}) == is_bound


def test_names_have_one_meaning() -> None:
    same = node("same", "Identity", ["x"], T=STRING)
    cases = {
        TWICE: graph_of(node("y", "Identity", ["x"], T=STRING), node("y", "ReadFile", ["x"])),
        NAMED_AS_OPERATION: graph_of(
            node("y", "ReadFile", ["x"]), functions=[function("ReadFile", ["x"], [same], "same:output:0")]
        ),
        NOT_THERE: graph_of(call("y", "ReadFile", "x")),
        GENERIC: graph_of(functions=[function("f", ["x"], [same], "same:output:0")]),
    }
    cases[GENERIC].library.function[0].signature.input_arg[0].number_attr = "N"
    argument = function("f", ["x"], [node("x", "Const", dtype=STRING)], "x:output:0")
    for reason, graph in [*cases.items(), (TWICE, graph_of(functions=[argument]))]:
        assert reason in {refusal.reason for refusal in refusals(asked(graph), ["ReadFile", "f"])}, reason
    assert shown("a\nb") == r"'a\nb'"


def table_of_assets() -> MetaGraphDef:
    """An honest graph, whose table is filled from an asset when the model is loaded."""
    graph = graph_of(
        text("asset", b"/etc/hostname"),
        node("table", "HashTableV2", key_dtype=STRING, value_dtype=STRING, shared_name=b"t"),
        node("fill", "InitializeTableFromTextFileV2", ["table", "asset"]),
        text("default", b""),
        node("y", "LookupTableFindV2", ["table", "x", "default"], Tin=STRING, Tout=STRING),
    )
    meta = asked(graph)
    meta.collection_def["saved_model_main_op"].node_list.value.append("fill")
    meta.asset_file_def.add(filename="words").tensor_info.name = "asset:0"
    return meta


def change(meta: MetaGraphDef, name: str, first_free_input: str) -> None:
    (filling,) = (each for each in meta.graph_def.node if each.name == name)
    filling.input[1] = first_free_input


def listed_where_tensorflow_does_not_look(meta: MetaGraphDef) -> None:
    packed = AssetFileDef(filename="words")
    packed.tensor_info.name = "asset:0"
    meta.collection_def["saved_model_assets"].any_list.value.add().Pack(packed)
    meta.asset_file_def[0].tensor_info.name = "default:0"


def filled_while_variables_are_restored(meta: MetaGraphDef) -> None:
    meta.saver_def.restore_op_name = "fill"


def filled_by_another_output(meta: MetaGraphDef) -> None:
    meta.graph_def.node.append(node("two", "IdentityN", ["asset", "asset"], T=[STRING, STRING]))
    meta.asset_file_def[0].tensor_info.name = "two:0"
    change(meta, "fill", "two:1")


def filled_by_a_variable(meta: MetaGraphDef) -> None:
    meta.graph_def.node.extend(
        [
            node("variable", "VarHandleOp", dtype=STRING, shared_name=b"v"),
            node("assign", "AssignVariableOp", ["variable", "asset"], dtype=STRING),
            node("value", "ReadVariableOp", ["variable"], dtype=STRING),
        ]
    )
    change(meta, "fill", "value")


def variable_assigned_before_its_asset_is_named(meta: MetaGraphDef) -> None:
    filled_by_a_variable(meta)
    meta.saver_def.restore_op_name = "assign"


def variable_of_a_handle_from_text(meta: MetaGraphDef) -> None:
    filled_by_a_variable(meta)
    meta.graph_def.node.extend(
        [
            node("handle", "ParseTensor", ["x"], out_type=types_pb2.DT_RESOURCE),
            node("assign_too", "AssignVariableOp", ["handle", "x"], dtype=STRING),
        ]
    )


@pytest.mark.parametrize(
    ("trick", "refused"),
    [
        (listed_where_tensorflow_does_not_look, Refusal("InitializeTableFromTextFileV2", NOT_AN_ASSET)),
        (filled_while_variables_are_restored, Refusal("InitializeTableFromTextFileV2", NOT_AN_ASSET)),
        (filled_by_another_output, Refusal("InitializeTableFromTextFileV2", NOT_AN_ASSET)),
        (variable_assigned_before_its_asset_is_named, Refusal("InitializeTableFromTextFileV2", NOT_AN_ASSET)),
        (variable_of_a_handle_from_text, Refusal("ParseTensor", NAMES_RESOURCE)),
        (filled_by_a_variable, None),
    ],
)
def test_a_table_is_filled_while_its_assets_name_is_fed(
    trick: Callable[[MetaGraphDef], None], refused: Refusal | None
) -> None:
    meta = table_of_assets()
    assert refusals(meta) == ()
    trick(meta)
    assert refusals(meta) == ((refused,) if refused else ())


def test_variables_are_restored_while_the_checkpoints_name_is_fed() -> None:
    graph = graph_of(
        text("file", b"/elsewhere"),
        text("names", [b"a"]),
        text("slices", [b""]),
        node("got", "RestoreV2", ["file", "names", "slices"], dtypes=[STRING]),
        node("y", "Identity", ["x"], T=STRING),
    )
    meta = asked(graph)
    meta.saver_def.filename_tensor_name = "file:0"
    meta.saver_def.restore_op_name = "got"
    assert refusals(meta) == ()
    meta.collection_def["saved_model_main_op"].node_list.value.append("got")  # which runs without that name, too
    assert refusals(meta) == (Refusal("RestoreV2", NOT_ITS_CHECKPOINT),)


def test_the_graph_that_tensorflow_has_imported_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the first look miss something, the second one, at TensorFlow's own graph, does not."""
    from serving.models import runner

    seen: list[int] = []

    def check(meta_graph: Any, allowed: Any) -> None:
        seen.append(len(meta_graph.graph_def.node))
        if len(seen) > 1:
            checked(meta_graph, allowed)

    checked = runner.check_meta_graph
    monkeypatch.setattr(runner, "check_meta_graph", check)
    with pytest.raises(LoadError, match="ReadFile"):
        load_version(HOSTILE["empty_name"](tmp_path / "1", file=tmp_path / "secret"))
    assert len(seen) == 2
