"""The registry: parties, agreements, lists, forms and notices, immutable by version and dated by Kafka."""
