"""An engine that shares the GPU by a lease, for library_lease_test: told what to do on its standard input, a
word a line. What it "loads" is on the simulated GPU, by the simulator's control.
    library_engine.py SIM DIR NAME GIB WAIT HEARTBEAT [revocable] [loads]"""
import os
import subprocess
import sys
import threading

import estiva

SIM, DIR, NAME, SIZE, WAIT, BEAT = sys.argv[1:7]
WORDS = sys.argv[7:]
_printing = threading.Lock()


def say(*words):
    with _printing:
        print(*words, flush=True)


def on_gpu(word, size):
    if "loads" in WORDS:
        done = subprocess.run([SIM, "ctl", DIR, word, str(os.getpid()), "0", size], capture_output=True, text=True)
        if done.returncode:
            say("trouble", word, done.stdout.strip(), done.stderr.strip())


def on_revoke(lease, revocation):
    on_gpu("free", f"{SIZE}GiB")
    say("revoked", "lost" if revocation.is_lost else "asked", revocation.reason)


def on_resume(lease):
    on_gpu("alloc", f"{SIZE}GiB")
    say("resumed")


def main():
    options = dict(on_revoke=on_revoke, on_resume=on_resume) if "revocable" in WORDS else {}
    heartbeat = None if BEAT == "never" else float(BEAT)
    try:
        lease = estiva.lease(NAME, vram=f"{SIZE}GiB", wait=float(WAIT), heartbeat=heartbeat, **options)
    except estiva.EstivaError as error:
        return say("refused", type(error).__name__, error)
    on_gpu("alloc", f"{SIZE}GiB")
    say("granted", lease.id, lease.cuda_visible_devices)
    inside = None
    for line in sys.stdin:
        word = line.strip()
        try:
            if word == "enter":
                inside = lease.using(wait=60)
                inside.__enter__()
            elif word == "leave":
                inside.__exit__(None, None, None)
            elif word == "state":
                say("is", "lost" if lease.is_lost else "resident" if lease.is_resident else "out")
                continue
            elif word == "quit":
                break
            say("did", word)
        except estiva.EstivaError as error:
            say("failed", type(error).__name__, error)
    lease.release()
    say("released")


main()
