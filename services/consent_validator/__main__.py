"""`python -m services.consent_validator`."""

from services.consent_validator.app import main

main()
