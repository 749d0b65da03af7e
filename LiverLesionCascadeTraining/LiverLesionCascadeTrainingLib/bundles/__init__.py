"""A finished training as a bundle that says what it is."""
