"""A candidate version that answers logged rows, off the path of requests and in a process of its own.

`bundle_scorer` runs a bundle on rows of a traffic log, always in batches of one size, so that a row's answer does not
depend on how rows came. `scorer_process` has it done by a child process, which may die, hang or take too much memory
without harm to anyone.
"""
