"""The person's portal: what is known, who has it, stop it all, follow it, ask a right. No account, no cookie, no script."""
