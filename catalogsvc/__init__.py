"""Catalog: the products of each local, behind the doorman."""
