"""What leaves the house: results folders, reports, lessons, films, pages."""
