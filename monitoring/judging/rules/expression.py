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
#: Functions that give a number of a number, which is float64 as in arithmetic.
_OF_NUMBERS = ("abs", "floor")
#: Of times, the coarsest first.
_UNITS = ("s", "ms", "us", "ns")


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
                return _called(_FUNCTIONS[name], self._compile(argument), as_float=name in _OF_NUMBERS)
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
                return _called(_UNARY[type(op)], self._compile(operand), as_float=not isinstance(op, ast.Not))
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
        return _of_two(_COMPARED[type(op)], self._compile(left), self._compile(right))

    def _column(self, name: str) -> Compiled:
        self._columns.add(name)
        return lambda columns: columns[name]


def _called(kernel: str, *arguments: Compiled, as_float: bool = False) -> Compiled:
    def result(columns: Mapping[str, pa.ChunkedArray]) -> Any:
        values = [_datum(argument(columns)) for argument in arguments]
        return pc.call_function(kernel, list(map(_as_float, values)) if as_float else values)

    return result


def _of_two(kernel: str, left: Compiled, right: Compiled) -> Compiled:
    """Compared values of types that differ are made alike here: the kernels refuse all rows for one beyond a type."""

    def result(columns: Mapping[str, pa.ChunkedArray]) -> Any:
        first, second = _datum(left(columns)), _datum(right(columns))
        if first.type != second.type and all(map(_is_number, (first.type, second.type))):
            first, second = _as_float(first), _as_float(second)
        elif (finer := _finer_time(first.type, second.type)) is not None:
            first, second = _at_times(first, finer), _at_times(second, finer)
        return pc.call_function(kernel, [first, second])

    return result


def _calculated(kernel: str, left: Compiled, right: Compiled) -> Compiled:
    """Arithmetic of numbers as float64, in which nothing wraps around; a division by zero is missing."""

    def result(columns: Mapping[str, pa.ChunkedArray]) -> Any:
        first, second = (_as_float(_datum(argument(columns))) for argument in (left, right))
        if (finer := _finer_time(first.type, second.type)) is not None:
            first, second = _at_times(first, finer), _at_times(second, finer)
        if kernel == "divide":
            second = pc.if_else(pc.equal(second, 0.0), pa.scalar(None, pa.float64()), second)
        return pc.call_function(kernel, [first, second])

    return result


def _as_float(value: Any) -> Any:
    """Numbers as float64; times and lengths of time, whose differences are exact, as they are."""
    kind = value.type
    if pa.types.is_temporal(kind):
        return value
    if not (_is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)):  # texts of digits are no numbers
        raise TypeError(f"{kind} is no number")
    return pc.cast(value, pa.float64(), safe=False)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _finer_time(first: pa.DataType, second: pa.DataType) -> pa.DataType | None:
    """Of two different kinds of times the one with the smaller unit, a date being of days; None for other types."""
    kinds = [kind for kind in (first, second) if pa.types.is_timestamp(kind)]
    if first == second or not kinds or not all(map(_is_time, (first, second))):
        return None
    return max(kinds, key=lambda kind: _UNITS.index(kind.unit))


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _at_times(value: Any, kind: pa.DataType) -> Any:
    """Times of another kind; missing where that cannot hold them. A time with a zone stays none without, and so on."""
    if value.type == kind or getattr(value.type, "tz", kind.tz) != kind.tz:
        return value
    made = pc.cast(value, kind, safe=False)
    return pc.if_else(pc.equal(pc.cast(made, value.type, safe=False), value), made, pa.scalar(None, kind))


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
