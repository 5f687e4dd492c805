"""Who may do what in MongoDB: planned from one table of services, applied to a server that asks for credentials."""
