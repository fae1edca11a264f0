"""The command ``nnp``, outside the package: Ctrl-C while that is imported is one line too."""

from __future__ import annotations

import sys

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main() -> int:
    """Import and run `nnp.cli.main`; its exit code."""
    try:
        from nnp.cli import main as run

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("nnp: interrupted\n")
        return _INTERRUPTED
