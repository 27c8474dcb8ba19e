"""What can go wrong, as sentences."""


class EstivaError(Exception):
    """`what` went wrong, and what to do (`remedy`, may be empty)."""

    def __init__(self, what, remedy=""):
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}. {remedy}" if remedy else what)


class NoDaemon(EstivaError):
    """Nobody answers at the socket."""


class NoRoom(EstivaError):
    """There is not enough GPU memory, and there was none in the time one was ready to wait."""


class Denied(EstivaError):
    """It is somebody else's."""


class Refused(EstivaError):
    """Not now, or not in this way."""


class LeaseLost(EstivaError):
    """The lease is no more: it was released elsewhere, or this process was silent for too long."""


class Cancelled(EstivaError):
    """The wait was given up."""


_KINDS = {"no_room": NoRoom, "denied": Denied, "not_found": LeaseLost, "timed_out": NoRoom}


def error_of(status, document):
    """The exception for an answer that is not 200."""
    told = document.get("error") or document.get("refused") or {}
    kind = told.get("kind") or {403: "denied", 404: "not_found", 409: "no_room", 504: "timed_out"}.get(status)
    what = told.get("message") or told.get("reason") or f"the daemon answered with status {status}"
    return _KINDS.get(kind, Refused)(what.rstrip("."), told.get("remedy", ""))
