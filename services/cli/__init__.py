"""The `opposable` command: one module per command (see `main`)."""
