"""A torch module that can leave the GPU and come back quickly: one pinned copy of its weights in RAM, made
once, and copies in and out of it. Pageable memory costs three to five times as long, and pinning each
tensor for itself as much again (docs/leases.md).

    swapped = Swapped(model)       # the module stays usable as it is
    swapped.to_gpu(); model(x); swapped.to_host()

Parameters and buffers keep their identity: optimizers, hooks and tied weights go on working. What changes is
where their storage is. Not thread-safe: nobody may use the module while it moves."""
import warnings

_ALIGN = 512  # bytes; what torch's own allocator gives


class Swapped:
    """`device`: where to_gpu() puts it. The arena takes as much RAM as the weights; `pin`: it is locked, so
    that copies run at the speed of the bus; where that fails it stays pageable, with a warning."""

    def __init__(self, module, device="cuda", pin=True):
        import torch
        self._torch, self.device = torch, torch.device(device)
        self.module = module
        self._tensors = list(_unique_storages(module))
        self._offsets, size = [], 0
        for tensor in self._tensors:
            self._offsets.append(size)
            size += -(-_storage(tensor).nbytes() // _ALIGN) * _ALIGN
        self.bytes = size
        self._arena, self.is_pinned = self._make_arena(max(size, 1), pin)
        # Views into the arena, one for each storage, for as long as this object lives.
        self._homes = [self._home(tensor, at) for tensor, at in zip(self._tensors, self._offsets)]
        self._views = [self._views_of(module, tensor) for tensor in self._tensors]
        self.is_on_gpu = False
        self._copy(self._homes, [_flat(torch, tensor) for tensor in self._tensors])
        self._synchronize()
        self._settle(self._homes)

    def to_gpu(self):
        """Returns when it is there. Raises torch's out-of-memory error with all as it was."""
        if self.is_on_gpu:
            return
        torch = self._torch
        there = [torch.empty(home.numel(), dtype=torch.uint8, device=self.device) for home in self._homes]
        self._copy(there, self._homes)
        self._synchronize()
        self._settle(there)
        self.is_on_gpu = True

    def to_host(self, changed=True):
        """Returns when its GPU memory is free. `changed`: the weights may differ from those in RAM; False
        saves the copy of a module that only computes."""
        if not self.is_on_gpu:
            return
        self._synchronize()  # what still computes with them
        if changed:
            there = [_flat(self._torch, views[0][0]) for views in self._views]
            self._copy(self._homes, there)
            self._synchronize()
            del there
        self._settle(self._homes)
        self.is_on_gpu = False
        if self.device.type == "cuda":
            self._torch.cuda.empty_cache()  # else torch keeps the blocks, and the GPU shows no room

    def _make_arena(self, size, pin):
        torch = self._torch
        if pin and self.device.type == "cuda":
            try:
                return torch.empty(size, dtype=torch.uint8, pin_memory=True), True
            except RuntimeError as error:
                warnings.warn(f"{size >> 20} MiB of RAM could not be pinned, so moving the module takes several "
                              f"times as long ({error})", RuntimeWarning, stacklevel=3)
        return torch.empty(size, dtype=torch.uint8), False

    def _home(self, tensor, at):
        return self._arena[at:at + _storage(tensor).nbytes()]

    def _views_of(self, module, like):
        """Every parameter and buffer that looks into the same storage: (tensor, dtype, offset, shape, stride)."""
        pointer = _storage(like).data_ptr()
        return [(tensor, tensor.dtype, tensor.storage_offset(), tensor.shape, tensor.stride())
                for tensor in _all_tensors(module) if _storage(tensor).data_ptr() == pointer]

    def _copy(self, targets, sources):
        for target, source in zip(targets, sources):
            target.copy_(source, non_blocking=True)

    def _synchronize(self):
        if self.device.type == "cuda":
            self._torch.cuda.current_stream(self.device).synchronize()

    def _settle(self, flats):
        """Lets each tensor look into its new bytes, in place: whoever holds the tensor sees them."""
        torch = self._torch
        for flat, views in zip(flats, self._views):
            for tensor, dtype, offset, shape, stride in views:
                base = torch.empty(0, dtype=dtype, device=flat.device)
                base.set_(_storage(flat), flat.storage_offset() // base.element_size() + offset, shape, stride)
                tensor.data = base


def _storage(tensor):
    """Its bytes; before torch 2.0 they had another name."""
    if hasattr(tensor, "untyped_storage"):
        return tensor.untyped_storage()
    return tensor.storage().untyped()


def _all_tensors(module):
    """Tied ones once; parameters first."""
    seen = set()
    for tensor in (*module.parameters(), *module.buffers()):
        if id(tensor) not in seen and _storage(tensor).nbytes() > 0:
            seen.add(id(tensor))
            yield tensor


def _unique_storages(module):
    seen = set()
    for tensor in _all_tensors(module):
        pointer = _storage(tensor).data_ptr()
        if pointer not in seen:
            seen.add(pointer)
            yield tensor


def _flat(torch, tensor):
    """The whole storage behind a tensor, as bytes."""
    storage = _storage(tensor)
    return torch.empty(0, dtype=torch.uint8, device=tensor.device).set_(storage, 0, (storage.nbytes(),), (1,))
