"""Rows of one project whose every reference that the database does not hold to that project leads to another's."""

from typing import Any

import psycopg
from psycopg import sql

from tests.api import uuid_of
from tests.security.tenancy.cases import Things

# Ids are bound to their project by foreign keys, if not to users, who belong to none; documents are bound by nothing.
_LOOSE = """
    SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL)
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
      AND a.atttypid IN ('uuid'::regtype, 'jsonb'::regtype)
      AND c.relname NOT IN ('project', 'project_member')
      AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'project_id' AND NOT attisdropped)
      AND NOT EXISTS (
          SELECT FROM pg_constraint AS k
          WHERE k.conrelid = c.oid AND a.attnum = ANY (k.conkey) AND k.contype = 'f' AND k.confrelid <> 'app_user'::regclass)
      AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey) AND i.indisunique)
"""
_LEAD_AWAY = sql.SQL("""
    UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE project_id = %(theirs)s AND {column} IS NOT NULL LIMIT 1)
    WHERE project_id = %(own)s AND {column} IS NOT NULL
""")
_REPLACE = sql.SQL("UPDATE {table} SET {column} = replace({column}::text, %(mine)s, %(their)s)::jsonb WHERE project_id = %(own)s")


def lead_away(connection: "psycopg.Connection[Any]", own: Things, theirs: Things) -> set[str]:
    """From what is `own` to what is `theirs`. Answers the columns of ids that have changed."""
    projects = {"own": uuid_of(own["Project"]), "theirs": uuid_of(theirs["Project"])}
    changed = set()
    for table, column, kind in connection.execute(_LOOSE).fetchall():
        names = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
        if kind == "uuid":
            if connection.execute(_LEAD_AWAY.format(**names), projects).rowcount:
                changed.add(f"{table}.{column}")
            continue
        for thing, mine in own.items():
            pair = {"mine": str(uuid_of(mine)), "their": str(uuid_of(theirs[thing]))}
            connection.execute(_REPLACE.format(**names), {**projects, **pair})
    return changed
