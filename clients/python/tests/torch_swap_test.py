"""The module that moves, with torch where there is one. On a machine without a GPU "the GPU" is more of the
RAM: what is shown then is which tensors move, and that none changes; not how fast."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
try:
    import torch
except ImportError:
    torch = None

DEVICE = "cuda" if torch and torch.cuda.is_available() else "cpu"


@unittest.skipUnless(torch, "torch is not installed")
class Swap(unittest.TestCase):
    def module(self):
        class Tied(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.first = torch.nn.Linear(64, 32)
                self.second = torch.nn.Linear(64, 32)
                self.second.weight = self.first.weight
                self.small = torch.nn.Parameter(torch.randn(7).half())
                self.register_buffer("steps", torch.arange(5))
                self.register_buffer("view", self.first.bias.data[3:9])
                self.register_buffer("empty", torch.empty(0))
                self.register_buffer("turned", torch.randn(4, 6).t())
        return Tied()

    def swapped(self, module):
        from estiva.torch_swap import Swapped
        return Swapped(module, device=DEVICE)

    def test_values_identity_and_ties_survive_many_moves(self):
        module = self.module()
        before = {name: value.clone() for name, value in module.state_dict().items()}
        tensors = {name: id(value) for name, value in module.named_parameters()}
        swapped = self.swapped(module)
        homes = {name: value.data_ptr() for name, value in module.state_dict().items()}
        for _ in range(3):
            swapped.to_gpu()
            self.assertEqual(module.first.weight.device.type, DEVICE)
            self.assertIs(module.second.weight, module.first.weight)
            self.assertNotEqual(module.first.weight.data_ptr(), homes["first.weight"])
            swapped.to_host()
            self.assertEqual({name: value.data_ptr() for name, value in module.state_dict().items()}, homes,
                             "one arena, and each has its place in it")
        self.assertEqual({name: id(value) for name, value in module.named_parameters()}, tensors)
        for name, value in module.state_dict().items():
            self.assertEqual((value.dtype, value.shape, value.stride()),
                             (before[name].dtype, before[name].shape, value.stride()), name)
            self.assertTrue(torch.equal(value, before[name]), name)

    def test_what_is_shared_is_moved_once_and_stays_shared(self):
        module = self.module()
        swapped = self.swapped(module)
        for move in (swapped.to_gpu, swapped.to_host):
            move()
            with torch.no_grad():
                module.first.bias[3] = 42.5
            self.assertEqual(module.view[0].item(), 42.5, "a view of it")
        self.assertLess(swapped.bytes, 64 * 32 * 4 + 4096)

    def test_what_changed_there_comes_back_unless_one_says_that_nothing_did(self):
        module = self.module()
        swapped = self.swapped(module)
        for changed, expected in ((True, 1.0), (False, 1.0)):
            swapped.to_gpu()
            with torch.no_grad():
                module.first.bias.fill_(1.0 if changed else 2.0)
            swapped.to_host(changed=changed)
            self.assertEqual(module.first.bias[0].item(), expected)

    def test_moving_twice_is_moving_once(self):
        swapped = self.swapped(self.module())
        swapped.to_host()
        swapped.to_gpu()
        where = swapped.module.first.weight.data_ptr()
        swapped.to_gpu()
        self.assertEqual(swapped.module.first.weight.data_ptr(), where)

    def test_it_computes_the_same(self):
        module = self.module()
        given = torch.randn(3, 64)
        expected = module.first(given).detach()
        swapped = self.swapped(module)
        swapped.to_gpu()
        self.assertTrue(torch.allclose(module.first(given.to(DEVICE)).cpu(), expected, atol=1e-5))
        swapped.to_host()
        self.assertTrue(torch.equal(module.first(given), expected))

    def test_a_module_without_weights(self):
        swapped = self.swapped(torch.nn.ReLU())
        swapped.to_gpu()
        swapped.to_host()
        self.assertEqual(swapped.bytes, 0)


if __name__ == "__main__":
    unittest.main()
