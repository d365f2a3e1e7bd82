"""Labels of a note. MIGRATION_SECONDS makes this revision a long one, with its table locked."""

import os
import time

import sqlalchemy as sa
from alembic import op

revision = "4b7e2f9031ad"
down_revision = "c5a94e6d0f12"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "label",
        sa.Column("note_id", sa.Integer, sa.ForeignKey("note.id"), primary_key=True),
        sa.Column("name", sa.String(100), primary_key=True),
    )
    op.execute("UPDATE note SET author = 'somebody' WHERE author = 'unknown'")
    seconds = float(os.environ.get("MIGRATION_SECONDS") or 0)
    if seconds and op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text("SELECT pg_sleep(:seconds)").bindparams(seconds=seconds))
    elif seconds:
        time.sleep(seconds)


def downgrade():
    op.drop_table("label")
