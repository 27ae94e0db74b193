"""What is true: the plan's facts, the base geometry, their provenance and coordinate systems."""
