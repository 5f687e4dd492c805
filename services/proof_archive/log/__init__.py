"""The logs: one per partition, appended in batches, with one commit point each."""
