"""The same for asyncio: nothing here blocks the loop, and callbacks run in it."""
import asyncio
import contextlib
import inspect
import threading

from ._ask import Ticket
from ._lease import lease


def _in_thread(call):
    """A future of what `call` gives in a thread of its own. The loop's own threads are few, and a wait for
    room may be long."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def tell(setter, value):
        def in_loop():
            if not future.done():
                setter(value)
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(in_loop)

    def run():
        try:
            tell(future.set_result, call())
        except BaseException as error:
            tell(future.set_exception, error)

    threading.Thread(target=run, name="estiva-wait", daemon=True).start()
    return future


def _on_loop(callback, loop):
    """A plain function or a coroutine function of the caller's, to be called from another thread."""
    if callback is None:
        return None

    async def call(*arguments):
        result = callback(*arguments)
        return await result if inspect.isawaitable(result) else result

    return lambda *arguments: asyncio.run_coroutine_threadsafe(call(*arguments), loop).result()


class AsyncLease:
    """What alease() gives inside `async with`. `lease` is the same as lease()'s."""

    def __init__(self, name, vram, options):
        self._name, self._vram, self._options = name, vram, options
        self.lease = None

    def __getattr__(self, name):
        return getattr(self.lease, name)

    async def __aenter__(self):
        loop, ticket = asyncio.get_running_loop(), Ticket()
        options = dict(self._options)
        for name in ("on_revoke", "on_resume", "on_offer"):
            options[name] = _on_loop(options.get(name), loop)
        waiting = _in_thread(lambda: lease(self._name, self._vram, ticket=ticket, **options))
        try:
            self.lease = await waiting
        except asyncio.CancelledError:
            ticket.cancel()
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                await _in_thread(waiting.result().release)
            raise
        return self

    async def __aexit__(self, *_):
        await asyncio.shield(_in_thread(self.lease.release))

    @contextlib.asynccontextmanager
    async def using(self, wait=60.0):
        await _in_thread(lambda: self.lease._enter(wait))
        try:
            yield self
        finally:
            await asyncio.shield(_in_thread(self.lease._leave))

    async def resume(self, wait=60.0):
        await _in_thread(lambda: self.lease.resume(wait))

    async def give_back(self):
        await _in_thread(self.lease.give_back)

    async def release(self):
        await _in_thread(self.lease.release)


def alease(name, vram, **options):
    """`async with estiva.alease("f5tts", vram="2GiB") as lease:`, with lease()'s options. Cancelling the task
    gives up the wait. The callbacks may be coroutine functions; they run in the loop."""
    return AsyncLease(name, vram, options)
