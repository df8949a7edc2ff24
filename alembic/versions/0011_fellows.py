"""Whom a user shares a project with is looked up from their own memberships.

Asked of the table, it was a condition on every membership there is, and each look at a user read them all.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FELLOWS = """
CREATE FUNCTION fellows() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE ROWS 20 SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT theirs.user_id FROM public.project_member AS mine JOIN public.project_member AS theirs ON theirs.project_id = mine.project_id
    WHERE mine.user_id = public.acting_user()
$$;
REVOKE EXECUTE ON FUNCTION fellows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fellows TO scriptorium_app;
ALTER POLICY app_selects ON app_user USING (id = (SELECT acting_user()) OR id IN (SELECT fellows()));
"""

REMOVE = """
ALTER POLICY app_selects ON app_user USING (id = (SELECT acting_user()) OR id IN (SELECT user_id FROM project_member));
DROP FUNCTION fellows;
"""


def upgrade() -> None:
    op.execute(FELLOWS)


def downgrade() -> None:
    op.execute(REMOVE)
