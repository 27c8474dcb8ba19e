"""Compares what the daemon says it holds with what the clients were told."""
from clients import GONE, HELD, MAYBE_GONE, MAYBE_HELD


def is_there(lease):
    """A lease that is releasing was given back; its bytes only wait to be seen free."""
    return lease is not None and lease["state"] != "releasing"


def same(lease, granted):
    return all(lease[key] == granted[key] for key in ("id", "gpus", "vram_bytes"))


def judge(clients, leases):
    """-> (granted but missing, released but present, complaints); each a list of sentences.

    Settles what was unknown: after a restart the daemon's answer is the truth from then on.
    """
    missing, present, complaints = [], [], []
    known = set()
    for client in clients:
        for name, state in client.log.items():
            known.add(name)
            lease = leases.get(name)
            if state == HELD and not is_there(lease):
                missing.append(f"granted-but-missing: {name}, granted as {client.granted[name]}")
                client.log[name] = GONE  # reported once
            elif state == HELD and not same(lease, client.granted[name]):
                missing.append(f"granted-but-missing: {name} is now {lease}, "
                               f"and was granted as {client.granted[name]}")
            elif state == GONE and is_there(lease):
                present.append(f"released-but-present: {name}: {lease}")
                client.log[name] = HELD
                client.granted[name] = lease
            elif state in (MAYBE_HELD, MAYBE_GONE):
                client.log[name] = HELD if is_there(lease) else GONE
                if is_there(lease):
                    if state == MAYBE_GONE and not same(lease, client.granted[name]):
                        complaints.append(f"{name} changed from {client.granted[name]} to {lease}")
                    client.granted[name] = lease
        complaints += client.complaints
        client.complaints = []
    complaints += [f"a lease nobody asked for: {lease}"
                   for name, lease in leases.items() if name not in known]
    return missing, present, complaints


def forget_settled(clients, leases):
    """Names that are gone on both sides need no more watching once they were checked twice."""
    for client in clients:
        for name in [n for n, state in client.log.items() if state == GONE and n not in leases]:
            marked = client.granted.get(name)
            if marked == "checked":
                del client.log[name], client.granted[name]
            else:
                client.granted[name] = "checked"
