"""The door for notebooks: a monitor over data frames, and its drills."""
