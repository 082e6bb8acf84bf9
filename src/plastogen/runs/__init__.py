"""Many courses, on disk: named, scheduled, stored, collected."""
