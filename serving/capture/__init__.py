"""Every answered prediction into the traffic log, before its answer leaves."""
