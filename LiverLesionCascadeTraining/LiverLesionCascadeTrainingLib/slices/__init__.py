"""Slices for training: kept, drawn, warped and given their priors."""
