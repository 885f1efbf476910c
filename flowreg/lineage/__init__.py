"""Where a version comes from: the code, the environment, the data and the run that made it, and the versions it was made of."""
