"""The tables of release 0.1.0, which later revisions begin from. `monitoring.store.tables` has them until it is cut."""

revision = "0100"
down_revision = None
