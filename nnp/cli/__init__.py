"""The command line: ``nnp COMMAND …``; one module per command, listed in `nnp.cli.program`."""

from nnp.cli.program import main

__all__ = ["main"]
