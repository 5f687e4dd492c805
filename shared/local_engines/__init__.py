"""Engines for one machine: which Kafka and which MongoDB to use, how they start, and who watches them.

Order of choice (see `choose`): the environment's own addresses, then real Apache Kafka from its published jars and a
`mongod`, then the in-memory stand-in for demonstrations. Nothing here is used in production.
"""
