"""What a field does: check access, load, call the domain."""
