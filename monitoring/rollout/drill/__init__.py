"""A drill of rollbacks: versions that are bad on purpose are promoted by force, in logged traffic with its labels."""
