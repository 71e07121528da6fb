"""One request in no dialect: resolve the model, batch, run, log, answer."""
