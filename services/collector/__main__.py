"""`python -m services.collector`."""

from services.collector.app import main

main()
