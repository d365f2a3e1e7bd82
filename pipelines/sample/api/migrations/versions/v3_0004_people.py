"""Authors get a table of their own. Commits, and drops data that release 2 needs."""

import sqlalchemy as sa
from alembic import op

revision = "e90d3b58c6f4"
down_revision = "4b7e2f9031ad"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table("person", sa.Column("name", sa.String(100), primary_key=True))
    op.execute("INSERT INTO person (name) SELECT DISTINCT author FROM note")
    with op.batch_alter_table("note") as note:
        note.drop_column("author")


def downgrade():
    raise NotImplementedError("the authors of the notes are gone")
