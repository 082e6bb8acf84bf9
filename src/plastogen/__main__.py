"""In: `python -m plastogen ...`. Out: what `plastogen ...` does."""

from plastogen.cli.main import main

main()
