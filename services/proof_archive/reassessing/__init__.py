"""Archived consents are assessed again: one of them after a person decided, or all of a party's once its standing changed."""
