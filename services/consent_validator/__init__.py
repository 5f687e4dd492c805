"""Assesses each recorded consent against the registry and the dated rules, and publishes the verdict."""
