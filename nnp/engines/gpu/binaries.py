"""Compiled OpenCL programs on disk. (CUDA's are kept by CuPy, in the same manner.)

A file per program, named by a hash of all that makes it: text, options, device, driver. It holds
its own hash before the binary: what does not agree with it, or cannot be read, is as if it were
not there. Written under another name and moved, so that there is never half a file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

# Changes when the files' own form does.
_FORM = "nnp-1"
_HASH_BYTES = hashlib.sha256().digest_size


def folder() -> Path:
    """Where: ``NNP_CACHE_DIR``, or ``nnp`` in the user's folder for such things."""
    chosen = os.environ.get("NNP_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "nnp"


class Binaries:
    """The place of one compiled program.

    Args:
        parts: all that the binary depends on.
    """

    def __init__(self, *parts: str) -> None:
        whole = "\0".join((_FORM, *parts))
        self.path = folder() / f"{hashlib.sha256(whole.encode()).hexdigest()}.bin"

    def load(self) -> bytes | None:
        """The binary; None where there is none that can be trusted."""
        try:
            data = self.path.read_bytes()
        except OSError:
            return None
        digest, binary = data[:_HASH_BYTES], data[_HASH_BYTES:]
        return binary if hashlib.sha256(binary).digest() == digest else None

    def save(self, binary: bytes) -> None:
        """Keep a binary; a disk that is full or not ours is not an error: it is compiled again."""
        if not binary:
            return
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(binary).digest() + binary)
                Path(name).replace(self.path)
            except OSError:
                Path(name).unlink(missing_ok=True)
