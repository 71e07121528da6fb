"""HTTP/2 in the event loop, as gRPC uses it: frames, header compression, flow control, and the limits of clients."""
