"""Commands: they parse arguments and call one function."""
