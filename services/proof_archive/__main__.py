"""`python -m services.proof_archive`."""

from services.proof_archive.app import main

main()
