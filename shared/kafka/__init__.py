"""Kafka, with every safe default set once (engineering facts: docs/decisions/0003)."""
