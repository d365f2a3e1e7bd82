revision = 'one'
down_revision = None
