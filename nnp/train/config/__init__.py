"""Settings of a fit from files: TOML, and n2p2's and RuNNer's ``input.nn``."""
