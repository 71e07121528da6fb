"""What the model and its traffic looked like when it was good: inputs and classes, profile, reference rows, schema."""
