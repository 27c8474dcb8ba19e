"""GPU memory from estiva, the daemon that keeps the GPUs of this machine in order.

    import estiva
    with estiva.lease("f5tts", vram="2GiB"):
        ...

waits until 2 GiB are free on a GPU and keeps them until the block ends, or the process does. See
docs/leases.md. Standard library only; torch is looked at by estiva.torch_swap alone."""
from ._aio import alease
from ._errors import Cancelled, Denied, EstivaError, LeaseLost, NoDaemon, NoRoom, Refused
from ._lease import Lease, Revocation, lease
from ._wire import socket_path, status

__all__ = ["Cancelled", "Denied", "EstivaError", "Lease", "LeaseLost", "NoDaemon", "NoRoom", "Refused",
           "Revocation", "alease", "lease", "socket_path", "status"]
