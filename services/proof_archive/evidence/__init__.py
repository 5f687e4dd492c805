"""Evidence: the files that entries name by hash (page copies, screenshots, notices, contracts), and who still owes them."""
