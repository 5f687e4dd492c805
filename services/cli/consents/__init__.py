"""`opposable consents import | export`: a party that works with tables publishes its consents and reads what it was told."""
