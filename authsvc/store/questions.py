"""The questions that are asked all day: each one statement, so that its answer is of one moment.

The database gathers each set into one JSON text, which is decoded straight into records: an answer
is one row, whatever it holds. SQLite and PostgreSQL have different words for that.
"""

__all__ = ["FEED", "ACCESS"]

# What the reader does not know yet, newest first; everything when its place is not in this log.
_FEED_SQLITE = """
SELECT database_id, revision, trimmed_to, (
  SELECT json_group_array(json_object(
    'revision', revision, 'organization_id', organization_id,
    'user_id', user_id, 'local_id', local_id
  ))
  FROM (
    SELECT revision, organization_id, user_id, local_id FROM changes
    WHERE revision > CASE
      WHEN feed.database_id = :database_id AND :after BETWEEN feed.trimmed_to AND feed.revision
      THEN :after ELSE -1 END
    ORDER BY revision DESC, n DESC LIMIT :rows_max
  )
) AS newest"""

_FEED_POSTGRESQL = """
SELECT database_id, revision, trimmed_to, (
  SELECT CAST(coalesce(json_agg(json_build_object(
    'revision', revision, 'organization_id', organization_id,
    'user_id', user_id, 'local_id', local_id
  )), '[]') AS text)
  FROM (
    SELECT revision, organization_id, user_id, local_id FROM changes
    WHERE revision > CASE
      WHEN feed.database_id = CAST(:database_id AS text)
        AND CAST(:after AS bigint) BETWEEN feed.trimmed_to AND feed.revision
      THEN CAST(:after AS bigint) ELSE -1 END
    ORDER BY revision DESC, n DESC LIMIT CAST(:rows_max AS bigint)
  ) AS unknown
) AS newest"""

_ACCESS_SQLITE = """, (
  SELECT json_group_object(id, json_object(
    'organization_id', organization_id,
    'is_active', json(iif(status = 'active', 'true', 'false')),
    'locals', json((SELECT json_group_array(local_id) FROM user_locals WHERE user_id = users.id)),
    'permissions', json((
      SELECT json_group_array(permission) FROM (
        SELECT DISTINCT permission FROM user_roles JOIN role_permissions USING (role_id)
        WHERE user_id = users.id ORDER BY permission
      )
    )),
    'sessions', json((
      SELECT json_group_array(sessions.id) FROM sessions WHERE user_id = users.id
    )),
    'tokens_valid_from', tokens_valid_from
  ))
  FROM users WHERE id IN (SELECT value FROM json_each(:user_ids))
) AS users, (
  SELECT json_group_object(id, json_object(
    'is_active', json(iif(status = 'active', 'true', 'false'))
  ))
  FROM organizations WHERE id IN (
    SELECT value FROM json_each(:organization_ids) UNION
    SELECT organization_id FROM users WHERE id IN (SELECT value FROM json_each(:user_ids))
  )
) AS organizations, (
  SELECT json_group_object(id, json_object(
    'organization_id', organization_id,
    'name', name,
    'is_active', json(iif(status = 'active', 'true', 'false'))
  ))
  FROM locals WHERE id IN (SELECT value FROM json_each(:local_ids))
) AS locals"""

_ACCESS_POSTGRESQL = """, (
  SELECT CAST(coalesce(json_object_agg(id, json_build_object(
    'organization_id', organization_id,
    'is_active', status = 'active',
    'locals', to_json(ARRAY(SELECT local_id FROM user_locals WHERE user_id = users.id)),
    'permissions', to_json(ARRAY(
      SELECT DISTINCT permission FROM user_roles JOIN role_permissions USING (role_id)
      WHERE user_id = users.id ORDER BY permission
    )),
    'sessions', to_json(ARRAY(SELECT sessions.id FROM sessions WHERE user_id = users.id)),
    'tokens_valid_from', tokens_valid_from
  )), '{}') AS text)
  FROM users WHERE id = ANY(ARRAY(SELECT json_array_elements_text(CAST(:user_ids AS json))))
) AS users, (
  SELECT CAST(coalesce(json_object_agg(id, json_build_object(
    'is_active', status = 'active'
  )), '{}') AS text)
  FROM organizations WHERE id IN (
    SELECT json_array_elements_text(CAST(:organization_ids AS json)) UNION
    SELECT organization_id FROM users
    WHERE id = ANY(ARRAY(SELECT json_array_elements_text(CAST(:user_ids AS json))))
  )
) AS organizations, (
  SELECT CAST(coalesce(json_object_agg(id, json_build_object(
    'organization_id', organization_id,
    'name', name,
    'is_active', status = 'active'
  )), '{}') AS text)
  FROM locals WHERE id = ANY(ARRAY(SELECT json_array_elements_text(CAST(:local_ids AS json))))
) AS locals"""

# By the dialect's name.
FEED = {
    "sqlite": f"{_FEED_SQLITE} FROM feed",
    "postgresql": f"{_FEED_POSTGRESQL} FROM feed",
}
ACCESS = {
    "sqlite": f"{_FEED_SQLITE}{_ACCESS_SQLITE} FROM feed",
    "postgresql": f"{_FEED_POSTGRESQL}{_ACCESS_POSTGRESQL} FROM feed",
}
