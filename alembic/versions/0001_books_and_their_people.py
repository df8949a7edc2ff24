"""Books and the people who write them, with row security.

Every table is forced under row security, and every policy names its command and the role it is for. What a user may see is asked of
`accessible_projects`, which runs as the tables' owner: the owner is bound by row security too (it need not be a superuser), hence its own policies
on the tables that these functions read. Nothing set means nobody: no rows.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT_TABLES = ("app_user", "project", "project_member", "chapter", "chapter_version", "reference_file")

TABLES = """
CREATE TABLE app_user (
    id uuid CONSTRAINT app_user_pkey PRIMARY KEY,
    issuer text NOT NULL,
    subject text NOT NULL,
    name text NOT NULL,
    email text,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT app_user_issuer_subject_key UNIQUE (issuer, subject)
);
CREATE INDEX app_user_lower_email_idx ON app_user (lower(email));

CREATE TABLE project (
    id uuid CONSTRAINT project_pkey PRIMARY KEY,
    title text NOT NULL,
    premise text NOT NULL,
    genre text NOT NULL CONSTRAINT project_genre_check CHECK (genre IN (
        'FANTASY', 'SCIENCE_FICTION', 'MYSTERY', 'THRILLER', 'ROMANCE', 'HORROR', 'HISTORICAL', 'LITERARY', 'YOUNG_ADULT', 'CHILDREN',
        'MEMOIR', 'NON_FICTION', 'OTHER')),
    language text NOT NULL,
    audience text,
    point_of_view text CONSTRAINT project_point_of_view_check CHECK (point_of_view IN ('FIRST', 'SECOND', 'THIRD_LIMITED', 'THIRD_OMNISCIENT')),
    tense text CONSTRAINT project_tense_check CHECK (tense IN ('PAST', 'PRESENT')),
    style_notes text NOT NULL,
    target_word_count integer,
    settings jsonb NOT NULL,
    budget_limit numeric(12, 6),
    archived_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE project_member (
    project_id uuid NOT NULL CONSTRAINT project_member_project_id_fkey REFERENCES project ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    user_id uuid NOT NULL CONSTRAINT project_member_user_id_fkey REFERENCES app_user ON DELETE CASCADE,
    role text NOT NULL CONSTRAINT project_member_role_check CHECK (role IN ('OWNER', 'EDITOR', 'COMMENTER', 'VIEWER')),
    joined_at timestamptz NOT NULL,
    CONSTRAINT project_member_pkey PRIMARY KEY (project_id, user_id)
);
CREATE INDEX project_member_user_id_project_id_idx ON project_member (user_id, project_id);

CREATE TABLE chapter (
    id uuid CONSTRAINT chapter_pkey PRIMARY KEY,
    project_id uuid NOT NULL CONSTRAINT chapter_project_id_fkey REFERENCES project ON DELETE CASCADE,
    position integer NOT NULL,
    title text NOT NULL,
    brief text NOT NULL,
    point_of_view_character text,
    target_word_count integer,
    status text NOT NULL CONSTRAINT chapter_status_check CHECK (status IN ('PLANNED', 'DRAFTING', 'DRAFTED', 'REVISED', 'FINAL')),
    summary text,
    current_version_id uuid,
    stale_since timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT chapter_project_id_id_key UNIQUE (project_id, id),
    CONSTRAINT chapter_project_id_position_key UNIQUE (project_id, position) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX chapter_current_version_id_idx ON chapter (current_version_id);

CREATE TABLE chapter_version (
    id uuid CONSTRAINT chapter_version_pkey PRIMARY KEY,
    project_id uuid NOT NULL,
    chapter_id uuid NOT NULL,
    number integer NOT NULL,
    word_count integer NOT NULL,
    token_count integer NOT NULL,
    origin text NOT NULL CONSTRAINT chapter_version_origin_check CHECK (origin IN ('AUTHOR', 'DRAFT', 'REVISION', 'RESTORED', 'IMPORTED', 'PARTIAL')),
    rehearsal boolean NOT NULL,
    author_id uuid CONSTRAINT chapter_version_author_id_fkey REFERENCES app_user ON DELETE SET NULL,
    job_id uuid,
    parent_id uuid,
    receipt_id uuid,
    created_at timestamptz NOT NULL,
    text text NOT NULL,
    CONSTRAINT chapter_version_chapter_id_id_key UNIQUE (chapter_id, id),
    CONSTRAINT chapter_version_chapter_id_number_key UNIQUE (chapter_id, number),
    CONSTRAINT chapter_version_project_id_chapter_id_fkey
        FOREIGN KEY (project_id, chapter_id) REFERENCES chapter (project_id, id) ON DELETE CASCADE,
    CONSTRAINT chapter_version_parent_id_fkey
        FOREIGN KEY (chapter_id, parent_id) REFERENCES chapter_version (chapter_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX chapter_version_author_id_idx ON chapter_version (author_id);
CREATE INDEX chapter_version_chapter_id_parent_id_idx ON chapter_version (chapter_id, parent_id);
CREATE INDEX chapter_version_project_id_chapter_id_idx ON chapter_version (project_id, chapter_id);
ALTER TABLE chapter ADD CONSTRAINT chapter_current_version_id_fkey
    FOREIGN KEY (id, current_version_id) REFERENCES chapter_version (chapter_id, id) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE reference_file (
    id uuid CONSTRAINT reference_file_pkey PRIMARY KEY,
    project_id uuid NOT NULL CONSTRAINT reference_file_project_id_fkey REFERENCES project ON DELETE CASCADE,
    name text NOT NULL,
    kind text NOT NULL CONSTRAINT reference_file_kind_check CHECK (kind IN ('CHARACTER', 'WORLD', 'STYLE', 'OUTLINE', 'RESEARCH', 'OTHER')),
    aliases text[] NOT NULL,
    inclusion text NOT NULL CONSTRAINT reference_file_inclusion_check CHECK (inclusion IN ('ALWAYS', 'WHEN_RELEVANT', 'NEVER')),
    valid_from_chapter integer,
    valid_until_chapter integer,
    media_type text NOT NULL,
    size_bytes integer NOT NULL,
    token_count integer NOT NULL,
    sha256 text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    content text NOT NULL
);
CREATE INDEX reference_file_project_id_name_idx ON reference_file (project_id, lower(name), id);
"""

FUNCTIONS = """
CREATE FUNCTION acting_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('app.user_id', true), '')::uuid $$;

CREATE FUNCTION accessible_projects(minimum_role text) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE ROWS 20 SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT project_id FROM public.project_member
    WHERE user_id = public.acting_user()
      AND array_position(ARRAY['OWNER', 'EDITOR', 'COMMENTER', 'VIEWER'], role)
          <= array_position(ARRAY['OWNER', 'EDITOR', 'COMMENTER', 'VIEWER'], minimum_role)
$$;

-- Whether nobody has anything under this id yet: only then may somebody make themselves its owner.
CREATE FUNCTION is_unclaimed(new_project_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
    SELECT NOT EXISTS (SELECT FROM public.project WHERE id = new_project_id)
       AND NOT EXISTS (SELECT FROM public.project_member WHERE project_id = new_project_id)
$$;

CREATE FUNCTION user_seen(new_id uuid, user_issuer text, user_subject text, user_name text, verified_email text, at timestamptz)
RETURNS TABLE (id uuid, name text, email text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$
BEGIN
    -- Nearly always nothing has changed, and then nothing is written.
    RETURN QUERY SELECT u.id, u.name, u.email FROM public.app_user AS u
        WHERE u.issuer = user_issuer AND u.subject = user_subject
          AND u.name = user_name AND u.email IS NOT DISTINCT FROM verified_email AND u.seen_at > at - interval '1 hour';
    IF NOT FOUND THEN
        RETURN QUERY INSERT INTO public.app_user AS u (id, issuer, subject, name, email, created_at, seen_at)
            VALUES (new_id, user_issuer, user_subject, user_name, verified_email, at, at)
            ON CONFLICT (issuer, subject)
            DO UPDATE SET name = excluded.name, email = excluded.email, seen_at = greatest(u.seen_at, excluded.seen_at)
            RETURNING u.id, u.name, u.email;
    END IF;
END
$$;

-- An address may be proved to two issuers: then it belongs to whoever was seen last.
CREATE FUNCTION user_id_by_email(address text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS
$$ SELECT id FROM public.app_user WHERE lower(email) = lower(address) ORDER BY seen_at DESC, id LIMIT 1 $$;

REVOKE EXECUTE ON FUNCTION acting_user, accessible_projects, is_unclaimed, user_seen, user_id_by_email FROM PUBLIC;
GRANT EXECUTE ON FUNCTION acting_user, accessible_projects, is_unclaimed, user_seen, user_id_by_email TO scriptorium_app;
GRANT EXECUTE ON FUNCTION user_seen TO scriptorium_worker;
"""

POLICIES = """
CREATE POLICY owner_selects ON app_user FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY owner_inserts ON app_user FOR INSERT TO CURRENT_USER WITH CHECK (true);
CREATE POLICY owner_updates ON app_user FOR UPDATE TO CURRENT_USER USING (true);
CREATE POLICY owner_selects ON project FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY owner_selects ON project_member FOR SELECT TO CURRENT_USER USING (true);

CREATE POLICY app_selects ON app_user FOR SELECT TO scriptorium_app
    USING (id = (SELECT acting_user()) OR id IN (SELECT user_id FROM project_member));

CREATE POLICY app_selects ON project FOR SELECT TO scriptorium_app USING (id IN (SELECT accessible_projects('VIEWER')));
CREATE POLICY app_inserts ON project FOR INSERT TO scriptorium_app WITH CHECK (id IN (SELECT accessible_projects('OWNER')));
CREATE POLICY app_updates ON project FOR UPDATE TO scriptorium_app USING (id IN (SELECT accessible_projects('EDITOR')));
CREATE POLICY app_deletes ON project FOR DELETE TO scriptorium_app USING (id IN (SELECT accessible_projects('OWNER')));

CREATE POLICY app_selects ON project_member FOR SELECT TO scriptorium_app USING (project_id IN (SELECT accessible_projects('VIEWER')));
CREATE POLICY app_inserts ON project_member FOR INSERT TO scriptorium_app
    WITH CHECK (project_id IN (SELECT accessible_projects('OWNER'))
                OR (user_id = (SELECT acting_user()) AND role = 'OWNER' AND is_unclaimed(project_id)));
CREATE POLICY app_updates ON project_member FOR UPDATE TO scriptorium_app USING (project_id IN (SELECT accessible_projects('OWNER')));
CREATE POLICY app_deletes ON project_member FOR DELETE TO scriptorium_app
    USING (project_id IN (SELECT accessible_projects('OWNER')) OR user_id = (SELECT acting_user()));
"""

TEXT_POLICIES = """
CREATE POLICY app_selects ON {table} FOR SELECT TO scriptorium_app USING (project_id IN (SELECT accessible_projects('VIEWER')));
CREATE POLICY app_inserts ON {table} FOR INSERT TO scriptorium_app WITH CHECK (project_id IN (SELECT accessible_projects('EDITOR')));
CREATE POLICY app_updates ON {table} FOR UPDATE TO scriptorium_app USING (project_id IN (SELECT accessible_projects('EDITOR')));
CREATE POLICY app_deletes ON {table} FOR DELETE TO scriptorium_app USING (project_id IN (SELECT accessible_projects('EDITOR')));
"""

PRIVILEGES = """
GRANT USAGE ON SCHEMA public TO scriptorium_app, scriptorium_worker;
GRANT SELECT ON app_user TO scriptorium_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON project, project_member, chapter, reference_file TO scriptorium_app;
-- Versions are only ever added; they go when their chapter goes.
GRANT SELECT, INSERT ON chapter_version TO scriptorium_app;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    for table in TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    op.execute(POLICIES)
    for table in ("chapter", "chapter_version", "reference_file"):
        op.execute(TEXT_POLICIES.format(table=table))
    op.execute(PRIVILEGES)


def downgrade() -> None:
    op.execute("DROP TABLE app_user, project, project_member, chapter, chapter_version, reference_file CASCADE")
    op.execute("DROP FUNCTION accessible_projects, is_unclaimed, user_seen, user_id_by_email, acting_user")
