"""What is measured of a text itself: no model, no opinion, the same for the same text."""
