"""The revisions, oldest first. One that was released is never changed again: a change is a new revision.

A new store is made from `monitoring.store.tables` at once, and runs none of them.
"""
