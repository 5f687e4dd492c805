"""Verifiers to hand out: one file of standard Python and one web page, neither of which needs anything of this project."""
