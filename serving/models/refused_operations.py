"""Operations that a served graph must not have: those that read or write files, reach the network, or run Python.

A SavedModel is a program. Refusing these operations is a second line of defence: it is no sandbox, since tables, for
example, read their vocabulary from a file that the graph names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_NAMES = """
    ReadFile WriteFile MatchingFiles MatchingFilesDataset WholeFileReader WholeFileReaderV2 TextLineReader
    TextLineReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 TFRecordReader TFRecordReaderV2
    LMDBReader TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset
    FixedLengthRecordDatasetV2 CSVDataset ExperimentalCSVDataset CSVDatasetV2 SqlDataset ExperimentalSqlDataset
    LMDBDataset ExperimentalLMDBDataset CacheDataset CacheDatasetV2 SnapshotDataset SnapshotDatasetV2
    SnapshotDatasetReader SnapshotNestedDatasetReader LoadDataset SaveDataset SaveDatasetV2 DistributedSave
    DatasetToTFRecord ExperimentalDatasetToTFRecord DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3
    DataServiceDatasetV4 RegisterDataset RegisterDatasetV2 GenerateVocabRemapping LoadAndRemapMatrix
    CreateSummaryFileWriter CreateSummaryDbWriter ImportEvent DebugIdentity DebugIdentityV2 DebugIdentityV3
    DebugNanCount DebugNumericSummary DebugNumericSummaryV2 FileSystemSetConfiguration PyFunc PyFuncStateless
    EagerPyFunc
"""
#: Refused wherever they stand in the graph.
REFUSED = frozenset(_NAMES.split())
#: Of the saver that every SavedModel has; refused where a client's request, the load or the initialiser runs them.
SAVING = frozenset({"Save", "SaveSlices", "SaveV2", "MergeV2Checkpoints"})
PRINTS = "PrintV2"
_INITIALISERS = ("saved_model_main_op", "legacy_init_op")


def refused_operations(meta_graph: Any, allowed: Collection[str] = ()) -> tuple[str, ...]:
    """Find the refused operations of a graph.

    Args:
        meta_graph: A ``tensorflow.MetaGraphDef``.
        allowed: Names of operations that are not refused.

    Returns:
        Their names, sorted.
    """
    functions = {function.signature.name: function for function in meta_graph.graph_def.library.function}
    nodes = [node for part in (meta_graph.graph_def.node, *map(_nodes, functions.values())) for node in part]
    found = {node.op for node in nodes if node.op in REFUSED or _prints_to_file(node)}
    if any(node.op in SAVING for node in nodes):
        found |= {op for op in _run_operations(meta_graph, functions) if op in SAVING}
    return tuple(sorted(found - set(allowed)))


def outside_assets(meta_graph: Any) -> tuple[str, ...]:
    """Find assets that are not in the version's own folder of assets.

    Returns:
        Their names, as the graph has them.
    """
    names = [asset.filename for asset in meta_graph.asset_file_def]
    return tuple(name for name in names if name.startswith("/") or ".." in name.split("/"))


def _prints_to_file(node: Any) -> bool:
    return bool(node.op == PRINTS and node.attr["output_stream"].s.startswith(b"file"))


def _nodes(function: Any) -> Iterable[Any]:
    nodes: Iterable[Any] = function.node_def
    return nodes


def _run_operations(meta_graph: Any, functions: dict[str, Any]) -> set[str]:
    """The operations that are run by a signature, the initialiser or the restoring of variables."""
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    waiting = [_node_name(name) for name in _starts(meta_graph)]
    operations: set[str] = set()
    seen: set[str] = set()
    called: list[str] = []
    while waiting:
        node = nodes.get(waiting.pop())
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        operations.add(node.op)
        waiting += map(_node_name, node.input)
        called += _called(node, functions)
    seen_functions: set[str] = set()
    while called:
        name = called.pop()
        if name in seen_functions:
            continue
        seen_functions.add(name)
        for node in _nodes(functions[name]):
            operations.add(node.op)
            called += _called(node, functions)
    return operations


def _starts(meta_graph: Any) -> Iterator[str]:
    for signature in meta_graph.signature_def.values():
        for tensor in signature.outputs.values():
            yield tensor.name
    for key in _INITIALISERS:
        yield from meta_graph.collection_def[key].node_list.value if key in meta_graph.collection_def else ()
    yield meta_graph.saver_def.restore_op_name


def _node_name(tensor: str) -> str:
    """The node of a tensor or control input.

    >>> _node_name("dense/MatMul:1"), _node_name("^init")
    ('dense/MatMul', 'init')

    Returns:
        Its name.
    """
    return tensor.removeprefix("^").partition(":")[0]


def _called(node: Any, functions: dict[str, Any]) -> Iterator[str]:
    """Names of the functions that a node calls: by its own name, or by an attribute, in a list or not."""
    if node.op in functions:
        yield node.op
    for value in node.attr.values():
        for function in (value.func, *value.list.func):
            if function.name in functions:
                yield function.name
