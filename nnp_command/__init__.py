"""The command ``nnp``, outside the package: what goes wrong while that is imported is one line."""

from __future__ import annotations

import sys

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main() -> int:
    """Import and run `nnp.cli.main`; its exit code."""
    try:
        import nnp.errors  # noqa: F401  says so where another project's files are in the package
        from nnp.cli import main as run

        return run()
    except ImportError as error:
        if error.name != "nnp":  # not that another project's files are in the package
            raise
        sys.stderr.write(f"nnp: error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("nnp: interrupted\n")
        return _INTERRUPTED
