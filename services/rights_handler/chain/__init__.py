"""Who gives whose data to whom: volumes along collector → list → prospecteur, and how soon each party answers a stop."""
