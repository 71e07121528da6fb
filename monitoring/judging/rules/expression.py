"""Expressions over columns, compiled to kernels of Arrow: a part of Python's syntax, and none of its evaluation."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput

#: Gives a value of each row, or one for all, from the columns of a batch by name.
Compiled: TypeAlias = Callable[[Mapping[str, pa.ChunkedArray]], Any]

#: Characters and parts of an expression.
LONGEST = 1_000
MOST_PARTS = 200

_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
}

#: The largest whole number that every number of an expression can be compared with exactly.
LARGEST = 1 << 53
_UNARY: dict[type[ast.unaryop], str] = {ast.Not: "invert", ast.USub: "negate"}
_FUNCTIONS = {
    "abs": "abs",
    "length": "utf8_length",
    "lower": "utf8_lower",
    "is_missing": "is_null",
    "floor": "floor",
    "year": "year",
}


class Expression:
    """An expression that says of each row whether it is as it should be, such as ``dropoff >= pickup and fare < 500``.

    Columns go by their names, or as ``col("with a space")``. There are numbers, texts, True and False, ``+ - * /``,
    comparisons (chained too), ``in`` a list of constants, ``and``, ``or``, ``not``, and the functions abs, length,
    lower, floor, year and is_missing. Numbers are calculated with as float64, and a division by zero is missing. A row
    in which the answer is missing, as a column is, breaks nothing, unless `unknown_breaks`.

    >>> rule = Expression('fare < 500 and (tip <= fare or code in ["X", "Y"])')
    >>> rule.columns
    ('code', 'fare', 'tip')
    >>> table = pa.table({"fare": [10.0, 900.0, 5.0, None], "tip": [1.0, 1.0, 9.0, 1.0], "code": ["A", "A", "A", "X"]})
    >>> rule.broken({name: table[name] for name in rule.columns}).to_pylist()
    [False, True, True, False]
    """

    def __init__(self, text: str) -> None:
        """Compile an expression. Raises BadInput for what is none of the above."""
        self.text = text
        self._columns: set[str] = set()
        self._compiled = self._compile(_parsed(text))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads, sorted."""
        return tuple(sorted(self._columns))

    def broken(self, columns: Mapping[str, pa.ChunkedArray], *, unknown_breaks: bool = False) -> pa.ChunkedArray:
        """Which rows are not as they should be, bool [n]. Raises BadInput where it fits no such columns."""
        problem = "it reads no column"
        try:
            value = self._compiled(columns)
            broken = None if isinstance(value, bool | pa.Scalar) else pc.fill_null(pc.invert(value), unknown_breaks)
        except (pa.ArrowException, TypeError) as error:
            broken, problem = None, str(error).splitlines()[0]
        if broken is None:
            raise _refusal(self.text, problem)
        return broken

    def _compile(self, node: ast.expr) -> Compiled:
        for kinds, compiled in (
            (ast.Constant | ast.Name | ast.Call, self._value),
            (ast.BinOp | ast.UnaryOp | ast.BoolOp, self._operation),
            (ast.Compare, self._comparison),
        ):
            if isinstance(node, kinds) and (result := compiled(node)) is not None:
                return result
        raise _refusal(self.text, f"{ast.unparse(node)!r} is no part of an expression")

    def _value(self, node: ast.expr) -> Compiled | None:
        """A constant, a column, or a function of a value."""
        match node:
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return self._constant(value)
            case (
                ast.Name(id=name)
                | ast.Call(func=ast.Name(id="col"), args=[ast.Constant(value=str() as name)], keywords=[])
            ):
                return self._column(name)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
                return _called(_FUNCTIONS[name], self._compile(argument))
        return None

    def _constant(self, value: Any) -> Compiled:
        if isinstance(value, int | float) and not abs(value) <= LARGEST:
            raise _refusal(self.text, f"the number {value:.3g}, beyond ±{LARGEST:,}")
        return lambda _: value

    def _operation(self, node: ast.expr) -> Compiled | None:
        """Arithmetic, or what joins truths."""
        match node:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _calculated(_ARITHMETIC[type(op)], self._compile(left), self._compile(right))
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                return _called(_UNARY[type(op)], self._compile(operand))
            case ast.BoolOp(op=op, values=[first, *others]):
                kernel = "and_kleene" if isinstance(op, ast.And) else "or_kleene"
                result = self._compile(first)
                for other in others:
                    result = _called(kernel, result, self._compile(other))
                return result
        return None

    def _comparison(self, node: ast.expr) -> Compiled | None:
        """Two values or more, each compared with the next."""
        if not isinstance(node, ast.Compare):
            return None
        lefts = [node.left, *node.comparators[:-1]]
        parts = [self._compared(*part) for part in zip(lefts, node.ops, node.comparators, strict=True)]
        result = parts[0]
        for part in parts[1:]:
            result = _called("and_kleene", result, part)
        return result

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Compiled:
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple):
                raise _refusal(self.text, "`in` needs a list of constants")
            values = [element.value for element in right.elts if isinstance(element, ast.Constant)]
            if len(values) != len(right.elts) or not values:
                raise _refusal(self.text, "`in` needs a list of constants")
            for value in values:
                self._constant(value)
            inside = _member(self._compile(left), values)
            return inside if isinstance(op, ast.In) else _called("invert", inside)
        if type(op) not in _COMPARED:
            raise _refusal(self.text, f"{type(op).__name__} is no comparison of an expression")
        return _called(_COMPARED[type(op)], self._compile(left), self._compile(right))

    def _column(self, name: str) -> Compiled:
        self._columns.add(name)
        return lambda columns: columns[name]


def _called(kernel: str, *arguments: Compiled) -> Compiled:
    return lambda columns: pc.call_function(kernel, [_datum(argument(columns)) for argument in arguments])


def _calculated(kernel: str, left: Compiled, right: Compiled) -> Compiled:
    """Arithmetic of numbers as float64, in which nothing wraps around; a division by zero is missing."""

    def result(columns: Mapping[str, pa.ChunkedArray]) -> Any:
        first, second = (_as_float(_datum(argument(columns))) for argument in (left, right))
        if kernel == "divide":
            second = pc.if_else(pc.equal(second, 0.0), pa.scalar(None, pa.float64()), second)
        return pc.call_function(kernel, [first, second])

    return result


def _as_float(value: Any) -> Any:
    """Numbers as float64; times and lengths of time, whose differences are exact, as they are."""
    return value if pa.types.is_temporal(value.type) else pc.cast(value, pa.float64(), safe=False)


def _datum(value: Any) -> Any:
    return pa.scalar(value) if isinstance(value, bool | int | float | str) else value


def _member(value: Compiled, values: list[Any]) -> Compiled:
    def inside(columns: Mapping[str, pa.ChunkedArray]) -> Any:
        cells = value(columns)
        members = pc.is_in(cells, value_set=pa.array(values).cast(cells.type))
        return pc.if_else(pc.is_valid(cells), members, pa.scalar(None, pa.bool_()))

    return inside


def _parsed(text: str) -> ast.expr:
    """The syntax of an expression of bounded size. Raises BadInput for what is none."""
    if len(text) > LONGEST:
        raise _refusal(text, f"{len(text):,} characters, at most {LONGEST:,}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _refusal(text, getattr(error, "msg", str(error)) or "no expression") from None
    if sum(1 for _ in ast.walk(tree)) > MOST_PARTS:
        raise _refusal(text, f"more than {MOST_PARTS} parts")
    return tree.body


def _refusal(text: str, why: str) -> BadInput:
    """The error of an expression that cannot be used."""
    return BadInput(
        "The rule's expression cannot be used.",
        got=f"{text[:200]!r} ({why[:300]})",
        expected="a truth of each row, such as dropoff >= pickup and fare < 500",
        fix='Correct `expression` in its [[rule]] section; columns with spaces are written as col("the name").',
    )
