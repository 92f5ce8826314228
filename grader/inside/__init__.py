"""All of the kit that the sandbox sees: how a student's function is run and looked at."""
