"""`python -m services.webhook_relay`."""

from services.webhook_relay.app import main

main()
