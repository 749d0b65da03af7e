"""A result in the scene: what is kept with it, how it is followed, and the one way in which we change it."""
