"""The sample application: notes in a database.

One file serves every release. What differs between releases is the text in VERSION and which scripts
are in migrations/versions, so the API asks the table which columns it has.
"""

import os
import pathlib

import click
import flask
import flask_migrate
import flask_sqlalchemy
import sqlalchemy

HERE = pathlib.Path(__file__).resolve().parent
VERSION = (HERE / "VERSION").read_text(encoding="utf-8").strip()


DB_TYPE = os.environ.get("DB_TYPE", "postgresql")


def database_url():
    """PostgreSQL or MariaDB from the DB_ variables, or the SQLite file that DB_FILE names."""
    if DB_TYPE == "sqlite":
        return "sqlite:///" + os.path.abspath(os.environ["DB_FILE"])
    driver, port = {"postgresql": ("postgresql", 5432), "mariadb": ("mysql+pymysql", 3306)}[DB_TYPE]
    return sqlalchemy.engine.URL.create(
        driver,
        username=os.environ["DB_USERNAME"],
        password=os.environ["DB_PASSWORD"],
        host=os.environ["DB_HOST"],
        port=int(os.environ.get("DB_PORT") or port),
        database=os.environ["DB_DATABASE"],
    )


def engine_options():
    """As Dify's do, these options of libpq replace what PGOPTIONS says."""
    return {"connect_args": {"options": "-c timezone=UTC"}} if DB_TYPE == "postgresql" else {}


app = flask.Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = database_url()
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options()
app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
database = flask_sqlalchemy.SQLAlchemy(app)
# Every revision commits by itself, so a failure leaves behind what came before it.
flask_migrate.Migrate(app, database, directory=str(HERE / "migrations"),
                      transaction_per_migration=True)


def rows(statement, **values):
    result = database.session.execute(sqlalchemy.text(statement), values)
    return [dict(row) for row in result.mappings()]


@app.get("/health")
def health():
    rows("SELECT id FROM note LIMIT 1")
    return {"status": "ok"}


@app.get("/version")
def version():
    return {
        "version": VERSION,
        "revision": rows("SELECT version_num FROM alembic_version")[0]["version_num"],
        "notes": rows("SELECT count(*) AS notes FROM note")[0]["notes"],
        "greeting": os.environ.get("GREETING", ""),
    }


@app.get("/notes")
def list_notes():
    page = int(os.environ.get("NOTES_PAGE_SIZE") or 0) or None
    return flask.jsonify(rows("SELECT * FROM note ORDER BY id")[:page])


@app.post("/notes")
def add_note():
    text = (flask.request.get_json(silent=True) or {}).get("text")
    if not isinstance(text, str) or not text:
        return {"error": 'expected {"text": "..."}'}, 400
    database.session.execute(sqlalchemy.text("INSERT INTO note (text) VALUES (:text)"),
                             {"text": text})
    database.session.commit()
    return {"text": text}, 201


@app.cli.command("upgrade-db")
def upgrade_db():
    """Migrates, and exits 0 even when that failed, as Dify's own command did before 1.13."""
    click.echo("Starting database migration.")
    try:
        flask_migrate.upgrade(directory=str(HERE / "migrations"))
        click.echo("Database migration successful!")
    except (Exception, SystemExit) as error:  # pylint: disable=broad-except
        click.echo(f"Database migration failed: {error}")
