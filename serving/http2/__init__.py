"""gRPC over HTTP/2 in the event loop, by the library h2: calls, their messages and answers, and limits of clients."""
