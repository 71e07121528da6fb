"""Processes that run graphs give up, by the kernel, what no prediction needs: other files, connections, programs."""
