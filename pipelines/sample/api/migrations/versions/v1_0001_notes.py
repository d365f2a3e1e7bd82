"""The notes themselves."""

import sqlalchemy as sa
from alembic import op

revision = "8d1f0c2a7b31"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "note",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
    )


def downgrade():
    op.drop_table("note")
