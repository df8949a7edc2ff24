"""What a book project is: plain Python."""
