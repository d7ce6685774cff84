"""The same job on what users would pick instead, and the ceiling: `make bench-peers`."""
