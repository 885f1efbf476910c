"""What storage does to a registry at the worst moment, and what is left of it."""
