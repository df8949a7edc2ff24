"""How often models are called, by all processes together. No tenant's data is in here."""

from datetime import datetime

from sqlalchemy import Double, Table, Text
from sqlmodel import Field

from persistence.tables.metadata import TIMESTAMP, TableModel, metadata


class ModelRateRow(TableModel, table=True):
    """Two token buckets of one endpoint as they were at `refilled_at`; what is below 0 has been booked in advance."""

    __tablename__ = "model_rate"

    endpoint: str = Field(primary_key=True, sa_type=Text)
    requests: float = Field(sa_type=Double)
    tokens: float = Field(sa_type=Double)
    refilled_at: datetime = Field(sa_type=TIMESTAMP)


model_rate: Table = metadata.tables["model_rate"]
