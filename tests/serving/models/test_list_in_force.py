"""The list in force of a process that has no others."""

from __future__ import annotations

from dataclasses import replace

from serving.models.list_in_force import ListInForce, OwnListStore


def test_a_single_process_keeps_its_list_and_has_nobody_to_tell() -> None:
    first = ListInForce(hangups=2)
    store = OwnListStore(first)
    assert (store.newest(), store.hangups(), store.update_others()()) == (first, 3, ())
    with store.exclusive():
        store.put(replace(first, generation=2, hangups=3))
    assert (store.newest().generation, store.hangups()) == (2, 4)
