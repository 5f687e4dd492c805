"""Lines in `review`: the list of what waits for a person, and the decisions, archived with their reason."""
