"""From a dose to block: what is given, where it goes, what it binds."""
