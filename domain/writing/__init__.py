"""Text itself: counting words, comparing versions, checking input."""
