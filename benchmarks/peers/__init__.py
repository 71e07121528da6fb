"""The servers that ours is measured against.

Each runs in an environment of its own, built by
`benchmarks.peer_servers`.
"""
