"""HTTP and JSON on the wire, in no dialect."""
