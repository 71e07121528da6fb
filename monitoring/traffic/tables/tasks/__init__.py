"""Tables by task: how one is told from another, and what its columns must hold."""
