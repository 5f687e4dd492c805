"""Code that several services share; it imports none of them."""
