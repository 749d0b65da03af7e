"""The networks: a bundle of them, the device they run on, and what of a slice they see."""
