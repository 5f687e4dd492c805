"""The operator's console: what runs, what is stuck, one person's history, dead letters; every look at a person is archived."""
