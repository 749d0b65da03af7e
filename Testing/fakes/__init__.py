"""Stand-ins for what tests cannot wait for: workers, trainers, panels, event loops."""
