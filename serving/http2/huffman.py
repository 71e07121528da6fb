"""The Huffman code of HTTP/2's header compression (RFC 7541, appendix B)."""

from __future__ import annotations

from functools import lru_cache

#: The length in bits of the code of each byte and, last, of the end of the string. The code is canonical: these
#: lengths say everything.
LENGTHS = bytes.fromhex(
    "0d171c1c1c1c1c1c1c181e1c1c1e1c1c1c1c1c1c1c1c1e1c1c1c1c1c1c1c1c1c060a0a0c0d06080b0a0a080b0806060605050506060606"
    "06060607080f060c0a0d06070707070707070707070707070707070707070707070807080d130d0e060f05060506050606060507070606"
    "060506070605050607070707070f0b0e0d1c14161414161616171617171717171817181816171817171717151617161717181615141616"
    "1717151716161815161717151516151716171714161616171616171a1a1413161716191a1a1a1b1b1a181913151a1b1b1a1b1815151a1a"
    "1c1b1b1b14181415161515171616191918181a171a1b1a1a1b1b1b1b1b1c1b1b1b1b1b1a1e"
)
END = 256
#: What a string may be filled up with: the first bits of the end's code, fewer than a byte.
MAX_PADDING = 7

#: From a state and four bits to the next state and the byte that ends there, or -1.
Step = tuple[int, int]


class HuffmanError(ValueError):
    """Bytes that are no string of this code."""


def decode_huffman(data: bytes) -> bytes:
    """Decode a string.

    >>> decode_huffman(bytes.fromhex("f1e3c2e5f23a6ba0ab90f4ff"))
    b'www.example.com'

    Args:
        data: The code's bytes.

    Returns:
        The string.

    Raises:
        HuffmanError: The bytes hold the end's code, or more or other filling than the code allows.
    """
    steps, accepted = _machine()
    state = 0
    found = bytearray()
    for byte in data:
        for half in (byte >> 4, byte & 15):
            state, symbol = steps[state][half]
            if symbol >= 0:
                found.append(symbol)
            if state < 0:
                raise HuffmanError("the end's code within a string")
    if state not in accepted:
        raise HuffmanError("a string that ends within a code")
    return bytes(found)


@lru_cache(maxsize=1)
def _machine() -> tuple[list[list[Step]], frozenset[int]]:
    """The steps of every state, and the states in which a string may end; states are nodes of the code's tree."""
    children: list[list[int]] = [[0, 0]]
    symbols: dict[int, int] = {}
    for symbol, (length, code) in enumerate(zip(LENGTHS, _codes(), strict=True)):
        node = 0
        for place in range(length - 1, -1, -1):
            bit = code >> place & 1
            if not children[node][bit]:
                children.append([0, 0])
                children[node][bit] = len(children) - 1
            node = children[node][bit]
        symbols[node] = symbol
    steps = [[_step(children, symbols, node, half) for half in range(16)] for node in range(len(children))]
    accepted, node = {0}, 0
    for _ in range(MAX_PADDING):
        node = children[node][1]
        accepted.add(node)
    return steps, frozenset(accepted)


def _step(children: list[list[int]], symbols: dict[int, int], node: int, half: int) -> Step:
    found = -1
    for place in (3, 2, 1, 0):
        node = children[node][half >> place & 1]
        symbol = symbols.get(node, -1)
        if symbol == END:
            return -1, -1
        if symbol >= 0:
            found, node = symbol, 0
    return node, found


def _codes() -> list[int]:
    """The code of each symbol: in the order of their lengths, then of the symbols, each is the one after the last."""
    codes = [0] * len(LENGTHS)
    code = before = 0
    for symbol in sorted(range(len(LENGTHS)), key=lambda one: (LENGTHS[one], one)):
        code <<= LENGTHS[symbol] - before
        before = LENGTHS[symbol]
        codes[symbol] = code
        code += 1
    return codes
