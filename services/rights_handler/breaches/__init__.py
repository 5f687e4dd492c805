"""The register of breaches of personal data (RGPD 33(5)): the 72 hours, who is affected, who was told, how it ended."""
