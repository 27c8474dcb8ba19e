"""What pip would install: complete, as its own list says, and usable from anywhere."""
import base64
import hashlib
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import build_backend  # noqa: E402


class Wheel(unittest.TestCase):
    def test_it_has_every_file_and_is_imported(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, build_backend.build_wheel(folder))
            with zipfile.ZipFile(path) as wheel:
                names = wheel.namelist()
                record = next(name for name in names if name.endswith("/RECORD"))
                for line in wheel.read(record).decode().splitlines():
                    name, digest, _ = line.split(",")
                    if digest:
                        seen = base64.urlsafe_b64encode(hashlib.sha256(wheel.read(name)).digest())
                        self.assertEqual(digest, "sha256=" + seen.rstrip(b"=").decode(), name)
            source = {name for name in os.listdir(os.path.join(HERE, "../estiva")) if name.endswith(".py")}
            self.assertEqual({os.path.basename(name) for name in names if name.startswith("estiva/")}, source)
            ran = subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {path!r})\n"
                                  "import estiva; print(sorted(estiva.__all__)[-1], estiva.socket_path())"],
                                 capture_output=True, text=True, cwd="/", env={"ESTIVA_LEASE_SOCKET": "/a/b"})
            self.assertEqual(ran.stdout, "status /a/b\n", ran.stderr)


if __name__ == "__main__":
    unittest.main()
