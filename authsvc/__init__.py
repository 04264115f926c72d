"""Auth: who may enter which local, what a token is worth, which permissions a user has."""
