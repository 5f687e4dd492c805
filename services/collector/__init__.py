"""Takes in what partners publish: identity, schema, normalisation, the guard, receipts, dead letters."""
