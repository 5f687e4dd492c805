"""Copies of the databases, taken while everything runs, and their restoration beside the Kafka that outlived them (docs/recovery.md)."""
