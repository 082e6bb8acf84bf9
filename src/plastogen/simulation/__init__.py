"""Both clocks together: a plan goes in, a course comes out."""
