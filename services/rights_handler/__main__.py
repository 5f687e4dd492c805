"""`python -m services.rights_handler`."""

from services.rights_handler.app import main

main()
