"""From the bytes a party sent to what the platform records: checks, normalisation, facts and sealed parts. Pure."""
