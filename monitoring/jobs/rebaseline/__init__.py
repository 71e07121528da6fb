"""A new baseline made from a deployment's own traffic: the new normal.

`rebaseline` makes and undoes it; `live_reference` reads the rows and labels of the windows that it is made of.
"""
