"""A training's run folder and process: what they tell, and how they are steered."""
