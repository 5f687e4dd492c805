"""Re-checking every log, from bytes to root to signature to Kafka."""
