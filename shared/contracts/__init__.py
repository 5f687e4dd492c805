"""What crosses a boundary: envelope, partner and platform events, as frozen models (contracts.md)."""
