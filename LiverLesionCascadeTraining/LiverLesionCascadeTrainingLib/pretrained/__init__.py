"""Published weights that a training can start from."""
