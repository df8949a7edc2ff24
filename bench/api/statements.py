"""The bare server's statements: one for each case, which makes the whole answer in Postgres.

Each asks for membership itself, as the repositories do, and runs under row level security besides.
"""

ACT = """
SELECT set_config('role', 'scriptorium_app', true), set_config('app.user_id', $1, true), set_config('transaction_read_only', $2, true)
"""
USER = "SELECT id FROM app_user WHERE issuer = $1 AND subject = $2"

NESTED_LIST = """
SELECT json_build_object('data', json_build_object('projects', json_build_object(
    'nodes', coalesce(json_agg(json_build_object(
        'id', page.id, 'title', page.title, 'genre', page.genre, 'updatedAt', page.updated_at, 'chapters', page.chapters
    ) ORDER BY page.place) FILTER (WHERE page.place <= $2), '[]'),
    'pageInfo', json_build_object(
        'hasNextPage', count(*) > $2,
        'endCursor', (array_agg(page.id ORDER BY page.place DESC) FILTER (WHERE page.place <= $2))[1]
    )
)))::text
FROM (
    SELECT chosen.*, inner_page.chapters
    FROM (
        SELECT id, title, genre, updated_at, row_number() OVER (ORDER BY updated_at DESC, id DESC) AS place
        FROM project
        WHERE id IN (SELECT project_id FROM project_member WHERE user_id = $1)
        ORDER BY updated_at DESC, id DESC
        LIMIT $2::int + 1
    ) AS chosen,
    LATERAL (
        SELECT json_build_object(
            'nodes', coalesce(json_agg(json_build_object(
                'id', child.id, 'title', child.title, 'position', child.position, 'status', child.status, 'updatedAt', child.updated_at,
                'currentVersion', CASE WHEN child.version_id IS NOT NULL THEN json_build_object(
                    'id', child.version_id, 'number', child.number, 'wordCount', child.word_count,
                    'createdAt', child.created_at, 'origin', child.origin
                ) END
            ) ORDER BY child.place) FILTER (WHERE child.place <= $2), '[]'),
            'pageInfo', json_build_object(
                'hasNextPage', count(*) > $2,
                'endCursor', (array_agg(child.id ORDER BY child.place DESC) FILTER (WHERE child.place <= $2))[1]
            )
        ) AS chapters
        FROM (
            SELECT chapter.id, chapter.title, chapter.position, chapter.status, chapter.updated_at,
                   version.id AS version_id, version.number, version.word_count, version.created_at, version.origin,
                   row_number() OVER (ORDER BY chapter.position) AS place
            FROM chapter LEFT JOIN chapter_version AS version ON version.id = chapter.current_version_id
            WHERE chapter.project_id = chosen.id
            ORDER BY chapter.position
            LIMIT $2::int + 1
        ) AS child
    ) AS inner_page
) AS page
"""

NODE = """
SELECT json_build_object('data', json_build_object('node', (
    SELECT json_build_object(
        'id', id, 'title', title, 'premise', premise, 'genre', genre, 'language', language, 'targetWordCount', target_word_count,
        'createdAt', created_at, 'updatedAt', updated_at
    )
    FROM project
    WHERE id = $2 AND id IN (SELECT project_id FROM project_member WHERE user_id = $1)
)))::text
"""

CHAPTER = """
SELECT json_build_object('data', json_build_object('chapter', (
    SELECT json_build_object(
        'id', chapter.id, 'title', chapter.title, 'position', chapter.position, 'status', chapter.status,
        'currentVersion', CASE WHEN version.id IS NOT NULL THEN json_build_object(
            'id', version.id, 'number', version.number, 'wordCount', version.word_count, 'createdAt', version.created_at,
            'origin', version.origin, 'text', version.text, 'assessment', latest.document
        ) END
    )
    FROM chapter
    LEFT JOIN chapter_version AS version ON version.id = chapter.current_version_id
    LEFT JOIN LATERAL (
        SELECT json_build_object(
            'id', assessment.id, 'score', assessment.score, 'scoreLow', assessment.score_low, 'scoreHigh', assessment.score_high,
            'judge', assessment.judge, 'createdAt', assessment.created_at, 'dimensions', assessment.dimensions,
            'findings', (
                SELECT coalesce(json_agg(json_build_object(
                    'id', finding.id, 'category', issue->'category', 'severity', issue->'severity', 'message', issue->'message',
                    'quote', issue->'quote', 'start', issue->'start', 'end', issue->'end', 'suggestion', issue->'suggestion',
                    'replacement', issue->'replacement',
                    'dismissed', EXISTS (SELECT FROM dismissal WHERE dismissal.finding_id = finding.id)
                ) ORDER BY finding.position), '[]')
                FROM finding
                WHERE finding.assessment_id = assessment.id
            )
        ) AS document
        FROM assessment
        WHERE assessment.version_id = version.id
        ORDER BY (assessment.judge IS NULL), assessment.created_at DESC, assessment.id DESC
        LIMIT 1
    ) AS latest ON true
    WHERE chapter.id = $2 AND chapter.project_id IN (SELECT project_id FROM project_member WHERE user_id = $1)
)))::text
"""

UPDATE = """
UPDATE chapter SET title = $3, updated_at = now()
WHERE id = $2 AND project_id IN (SELECT project_id FROM project_member WHERE user_id = $1 AND role IN ('OWNER', 'EDITOR'))
RETURNING json_build_object('data', json_build_object('updateChapter', json_build_object(
    'chapter', json_build_object(
        'id', id, 'title', title, 'position', position, 'status', status, 'brief', brief,
        'createdAt', created_at, 'updatedAt', updated_at
    ),
    'errors', '[]'::json
)))::text
"""
