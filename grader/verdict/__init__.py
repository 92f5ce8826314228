"""What a check is; how an observation becomes an outcome, a difference, a name."""
