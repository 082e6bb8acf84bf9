"""In: lessons/*.yaml and a run of the experiment each is built on. Out: sheets for students and
teacher, and slides.

A lesson asks and answers; what its answers rest on, numbers and verdicts, comes from the run and is
never typed.
"""
