from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from monitoring.config.problems import KeyPath, line_numbers, line_of

TRICKY = '''\
top = 1
[windows] # [not] = "this"
every = "a = 1 # [x]"
text = """
[fake]
key = 1 \\"""" # five quotes end here: an escaped one, then three
'quoted key' . "in\\tner" = [ # dotted
  "]",
  { a = 1 },
]
raw = \'\'\'
every = 2\'\'\'\'

[[notify]]
level = "page"
[ notify . more ]
x = 1
  [[ notify ]]
level = "notice"
inline = { webhook = "w" }
'''


def test_strings_comments_arrays_and_dotted_keys_do_not_mislead() -> None:
    tomllib.loads(TRICKY)
    lines = line_numbers(TRICKY)
    assert {place: line for place, line in lines.items() if place[0] != "notify"} == {
        ("top",): 1,
        ("windows",): 2,
        ("windows", "every"): 3,
        ("windows", "text"): 4,
        ("windows", "quoted key"): 7,
        ("windows", "quoted key", "in\tner"): 7,
        ("windows", "raw"): 11,
    }
    assert (lines["notify", 0], lines["notify", 0, "level"]) == (14, 15)
    assert (lines["notify", 1], lines["notify", 1, "level"]) == (18, 19)


def test_what_has_no_line_of_its_own_stands_where_its_owner_does() -> None:
    lines = line_numbers(TRICKY)
    assert line_of(("notify", 1, "inline", "webhook"), lines) == 20
    assert line_of(("windows", "missing"), lines) == 2
    assert line_of(("absent", "key"), lines) is None


keys = st.text(alphabet="abcxyz_-09", min_size=1, max_size=4)
values = st.sampled_from(
    [
        '"#["',
        "'\\'",
        "[1,\n2, # ]\n]",
        '"""a\n"b" = 1\n"""',
        "'''\n[s]\n'''",
        "1979-05-27",
        "{ a = 1, b = '}' }",
        "true",
    ]
)
section = st.dictionaries(keys, values, max_size=4)


@given(st.dictionaries(keys, section, max_size=4), st.sampled_from(["", "# note\n", "\n\n"]))
def test_every_key_of_any_document_is_found_on_its_line(document: dict[str, dict[str, str]], between: str) -> None:
    text, expected = "", dict[KeyPath, int]()
    for head, settings in document.items():
        text += between
        expected[head,] = text.count("\n") + 1
        text += f"[{head}]\n"
        for key, value in settings.items():
            text += between
            expected[head, key] = text.count("\n") + 1
            text += f"{key} = {value} # end\n"
    tomllib.loads(text)
    assert line_numbers(text) == expected
