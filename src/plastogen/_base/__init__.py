"""Values, files people write, files on disk; private to the package."""
