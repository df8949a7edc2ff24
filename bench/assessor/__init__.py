"""What the assessor's metrics are made from and held against."""
