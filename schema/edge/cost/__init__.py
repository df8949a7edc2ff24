"""What operations cost: declared on the schema's fields, estimated before execution, counted during it."""
