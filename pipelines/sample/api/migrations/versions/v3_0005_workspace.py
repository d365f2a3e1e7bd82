"""Every note belongs to a workspace. Works on an empty table, and fails as soon as there is a note.

MariaDB fails at the foreign key, and has the table and the column by then.
"""

import sqlalchemy as sa
from alembic import op

revision = "1f6a8c73d2e5"
down_revision = "e90d3b58c6f4"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table("workspace", sa.Column("name", sa.String(100), primary_key=True))
    op.add_column("note", sa.Column("workspace", sa.String(100), nullable=False))
    with op.batch_alter_table("note") as note:
        note.create_foreign_key("note_workspace", "workspace", ["workspace"], ["name"])


def downgrade():
    with op.batch_alter_table("note") as note:
        note.drop_constraint("note_workspace", type_="foreignkey")
        note.drop_column("workspace")
    op.drop_table("workspace")
