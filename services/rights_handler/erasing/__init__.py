"""Erasure, retention and legal holds (RGPD 17): object first, then erase; what the law says to keep is restricted until a date.

`door.Erases.erase(records, cause=…)` is what other code calls; `docs/erasure.md` tells the whole of it.
"""
