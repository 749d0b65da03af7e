"""What a run returns, on the engine's grid and on the source's."""
