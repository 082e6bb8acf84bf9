"""The commands, a module for each thing a person comes for: to look, to run, to see what came out."""
