"""Trains networks: steps, checkpoints, several processes, the cascade job by job."""
