"""A class through the sandbox."""
