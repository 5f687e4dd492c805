"""What becomes of a proof once it is made: to whom it was delivered, and how soon (the agreements' `proof_sla`)."""
