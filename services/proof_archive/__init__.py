"""The proof archive: every record it sees becomes an entry of an append-only log that outsiders can check."""
