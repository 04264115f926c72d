"""Laws run on shared machines: an example that is slow for once has broken no law."""

from hypothesis import settings

settings.register_profile("laws", deadline=None, print_blob=True)
settings.load_profile("laws")
