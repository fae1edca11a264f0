"""``python -m nnp``: the command line without its script on the PATH."""

from nnp.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
