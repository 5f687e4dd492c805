"""What keeps a person from being solicited again once everything else about them is erased: keyed hashes, scopes and dates."""
