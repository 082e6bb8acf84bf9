"""The question: what a person writes, checked and resolved, and what is judged of the answer."""
