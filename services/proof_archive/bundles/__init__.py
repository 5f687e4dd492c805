"""Building a proof bundle: what it holds, for whom, as one canonical ZIP under a signed manifest."""
