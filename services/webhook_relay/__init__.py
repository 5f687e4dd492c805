"""Pushes what parties are told to those that chose webhooks, and brings back the acknowledgements their answers carry."""
