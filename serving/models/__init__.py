"""Models and their versions: where they lie, how they are loaded, warmed up and taken over."""
