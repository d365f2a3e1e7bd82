"""Who wrote a note."""
revision = "two"
down_revision = "one"
