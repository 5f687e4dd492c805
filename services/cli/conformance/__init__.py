"""The conformance kit: plays the platform against a partner's own system and says, item by item, what it does right."""
