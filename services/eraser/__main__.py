"""`python -m services.eraser`."""

from services.eraser.app import main

main()
