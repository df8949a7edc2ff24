"""What is worked out about a text when it is saved, so that a prompt need not: its passages and where each word stands."""
