"""Rollouts: is the candidate version better than the champion, decided by evidence on the user's own traffic.

`evidence` is pure: paired differences of a loss as sums of whole numbers, a confidence sequence that is valid at every
look, verdicts, guards, plans, and the assignment of rows to versions. The other rooms bring it rows and keep what it
says: `replay` has rows whose labels are there already.
"""
