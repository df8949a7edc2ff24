"""Language models: the port, its adapters, tokens and prices."""
