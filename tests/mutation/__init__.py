"""Do the tests notice when the law is changed? Mutants of the rules package, and who survives."""
