"""A person's corrections of a result, and the result that follows from them."""
