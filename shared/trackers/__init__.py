"""Decisions of consent banners: IAB TCF strings, and what they are worth here."""
