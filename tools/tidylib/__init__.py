"""The checks of tools/tidy. Standard library only."""
