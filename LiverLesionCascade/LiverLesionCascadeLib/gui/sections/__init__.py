"""What a person sees of a result and does with it, one section a file."""
