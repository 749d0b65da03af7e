"""Long use, many cases, and several programs at a time."""
