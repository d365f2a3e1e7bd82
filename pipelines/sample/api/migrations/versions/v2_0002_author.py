"""Who wrote a note."""

import sqlalchemy as sa
from alembic import op

revision = "c5a94e6d0f12"
down_revision = "8d1f0c2a7b31"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("note", sa.Column("author", sa.Text, nullable=False, server_default="unknown"))


def downgrade():
    op.drop_column("note", "author")
