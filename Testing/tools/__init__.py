"""What keeps the repository in order: linters, lists, pictures, translations, self-tests."""
