"""In: nothing. Out: what plastogen is for, said wherever it shows anything."""

SCOPE = "plastogen explains mechanisms; it is not advice on doses or treatment."
