"""`just bench`: Portero against the design it came from, both in this run, on this machine.

The baseline is the seed's own: a grpc.aio server with an in-memory table, a grpc.aio client, one
unary call a check. Portero runs with everything on: interceptors, metrics, a real store. Servers
and clients are processes of their own. What counts are the ratios; absolute figures are the
machine's.
"""
