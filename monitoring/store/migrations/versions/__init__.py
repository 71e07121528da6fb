"""The revisions, oldest first. One that was released is never changed again: a change is a new revision."""
