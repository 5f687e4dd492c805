"""Secrets that have versions: where they stand, how they are rotated without losing a record, how they are kept in escrow."""
