"""Checking a bundle, offline."""
