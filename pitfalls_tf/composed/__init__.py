"""Setups composed of names: any source, network, remedy and split, trained over many seeds by the ensemble loop."""
