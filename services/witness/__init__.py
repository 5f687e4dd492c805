"""A witness: someone outside the operator who signs that each log it follows has only grown (C2SP tlog-witness 1.0)."""
