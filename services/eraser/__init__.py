"""Destroys record keys, last of all: when the log holds the erasure and the index is gone."""
