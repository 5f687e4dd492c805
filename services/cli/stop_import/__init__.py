"""`opposable stop import`: takes in the opposition lists that exist already, before permissions are opened."""
