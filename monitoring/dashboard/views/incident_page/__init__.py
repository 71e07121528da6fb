"""The pages of one incident: what happened, and its rows."""
