from __future__ import annotations

import pytest

from monitoring.actions.version_label import dropped_versions, find_label, with_version
from monitoring.errors import BadInput

TEXT = """# version_labels { key: "stable" value: 1 }
model_config_list: {
  config {
    name: "other" base_path: "/m/{other}"
    version_labels { key: "stable" value: 5 }
  }
  config <
    name: 'flights', base_path: "/m/flights \\" }"
    model_version_policy { specific { versions: 8 versions: 9 } }
    version_labels { value: 8 key: "canary" }  # the new one
    version_labels: { key: "stable"; value: 9; }
  >
}
"""


def test_the_label_of_the_model_is_found_among_others() -> None:
    place = find_label(TEXT, "flights", "stable")
    assert place.version == 9
    assert TEXT[place.start - 7 : place.end + 1] == "value: 9;"
    assert find_label(TEXT, "flights", "canary").version == 8
    assert find_label(TEXT, "other", "stable").version == 5


def test_nothing_but_its_number_changes() -> None:
    changed = with_version(TEXT, find_label(TEXT, "flights", "stable"), 12)
    assert changed == TEXT.replace("value: 9;", "value: 12;")
    assert find_label(changed, "flights", "stable").version == 12


@pytest.mark.parametrize(
    "text", ["", "}}} {", TEXT.replace("value: 9;", ""), TEXT.replace('"stable"; value', '"b"; value')]
)
def test_a_file_without_it_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="does not have the label"):
        find_label(text, "flights", "stable")


def policy_of(text: str) -> str:
    return f'model_config_list {{ config {{ name: "m" {text} }} }}'


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("model_version_policy { specific { versions: 42 versions: 43 } }", ""),
        ("model_version_policy { specific { versions: 42 versions: 44 } }", "its policy names the versions 42, 44"),
        ("model_version_policy { all {} }", ""),
        ("model_version_policy { latest { num_versions: 2 } }", "its policy is latest 2: a version that arrives"),
        ("", "its policy is latest 1: a version that arrives would drop the older one"),
    ],
)
def test_a_policy_that_would_drop_a_version_is_told(policy: str, why: str) -> None:
    assert dropped_versions(policy_of(policy), "m", (42, 43)).startswith(why)
    assert bool(dropped_versions(policy_of(policy), "m", (42, 43))) == bool(why)
    assert dropped_versions(policy_of(policy), "other", (42, 43)) == "it has no such model"
