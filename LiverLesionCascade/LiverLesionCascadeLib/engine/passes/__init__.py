"""The passes over a scan, and how thoroughly each looks."""
