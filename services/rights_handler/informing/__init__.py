"""The information of RGPD 14: its text for each record and recipient, who still owes it, and what is overdue."""
