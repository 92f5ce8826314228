"""Lessons as notebooks and back, and the code of anybody's notebook."""
