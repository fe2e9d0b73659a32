"""Indexes for “contains”, on PostgreSQL. SQLite, for small directories, reads the rows."""

from typing import Any

from django.db import migrations, transaction
from django.db.utils import DatabaseError

CREATE_EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"


class TrigramsMissing(Exception):
    """PostgreSQL lacks the extension pg_trgm, and the portal may not install it."""


def create_trigram_extension(apps: Any, schema_editor: Any) -> None:
    """For a migration. pg_trgm is trusted since PostgreSQL 13: whoever may create in the database may install it."""
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute(CREATE_EXTENSION)
    except DatabaseError as error:
        raise TrigramsMissing(
            f"The search over people and logs needs PostgreSQL's extension pg_trgm ({error}). Have an administrator of "
            f"the database server run “{CREATE_EXTENSION}” in this database, then migrate again. The extension comes "
            "with PostgreSQL; some systems have it in a package named postgresql-contrib."
        ) from error


def trigram_index(table: str, name: str, *, column: str = "search_text") -> migrations.RunPython:
    """Return the operation that makes the index by which `column LIKE '%term%'` is found."""

    def create(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'CREATE INDEX "{name}" ON "{table}" USING gin ("{column}" gin_trgm_ops)')

    def drop(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'DROP INDEX "{name}"')

    return migrations.RunPython(create, drop)
