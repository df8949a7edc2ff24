"""What each command of `scriptorium` does."""
