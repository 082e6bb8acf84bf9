"""What came out: contrasts, responders, sensitivity, evidence."""
