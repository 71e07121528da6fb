"""One incident: its cause, its rows, its outcomes, and what people do with it."""
