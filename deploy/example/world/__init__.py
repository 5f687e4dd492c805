"""The invented world of the example: its companies, pages, contracts, persons, and what they publish.

Every company, person, address and number is made up. SIREN numbers are of the 999 000 range, telephone numbers of the
ranges that ARCEP reserves for fiction, domains end in `.example` (RFC 2606), IP addresses are of 203.0.113.0/24 (RFC 5737).
"""
