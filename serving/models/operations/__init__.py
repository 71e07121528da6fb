"""Which operations a served graph may have, and where a string tensor of it comes from."""
