"""`just demo`: the story of Portero, told with real processes, each line of it checked."""
