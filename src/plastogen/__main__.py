"""In: `python -m plastogen ...`. Out: what `plastogen ...` does."""

from plastogen.cli import main

main()
