"""Remembers who may hold what, tells each party what it may do, and carries every stop to everyone concerned."""
