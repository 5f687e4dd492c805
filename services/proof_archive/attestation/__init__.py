"""The attestation: one bundle retold on paper, in French, for whoever must judge it."""
