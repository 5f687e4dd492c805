"""Pure cryptography: Merkle trees, tiles, signed notes, checkpoints, proofs, trust policies, sealing and keyed names."""
