from typing_extensions import Buffer

def count(
    data: Buffer,
    valid: Buffer | None,
    kind: str,
    offset: int,
    length: int,
    before: Buffer,
    edges: Buffer,
    first: float,
    scale: float,
    last: int,
    counts: Buffer,
    described: bool,
    /,
) -> tuple[int, int, int, int, float, float, float, float]: ...
def places(
    values: Buffer, before: Buffer, edges: Buffer, first: float, scale: float, last: int, bins: Buffer, /
) -> None: ...
def fixed_point_sum(scores: Buffer, /) -> float: ...
