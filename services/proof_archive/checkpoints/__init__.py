"""Signed checkpoints: the signer, its memory, cosignatures, publication."""
