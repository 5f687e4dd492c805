"""Who may read and write which topic: planned from the one table of topics, applied to a cluster with an authorizer."""
