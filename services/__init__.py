"""The services of Opposable, one process each; only Kafka joins them."""
