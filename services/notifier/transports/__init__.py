"""The ways to a person: SMTP, an SMS gateway, printable letters, and files for a machine that has none of them."""
