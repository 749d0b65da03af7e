"""File operations that fail, processes that are killed, disks that are full."""
