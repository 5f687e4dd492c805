"""Requests of persons (RGPD 15 to 20) and the dispute "I never consented": answered, relayed, within the law's delays."""
