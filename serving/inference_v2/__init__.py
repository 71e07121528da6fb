"""The Open Inference Protocol, version 2, over HTTP, as clients of Triton, KServe and MLServer use it."""
