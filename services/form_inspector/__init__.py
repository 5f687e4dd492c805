"""Measures a consent form on the real page: opens it in a browser, reads what a person sees, writes the registry's document.

A library used by `opposable form inspect`; nothing here runs as a process or speaks to Kafka.
"""
