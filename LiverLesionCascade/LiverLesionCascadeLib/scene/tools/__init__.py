"""What a person does with a result in the scene."""
