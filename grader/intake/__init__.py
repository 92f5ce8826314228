"""Strangers' bytes into the text of lessons, within bounds, without running any."""
