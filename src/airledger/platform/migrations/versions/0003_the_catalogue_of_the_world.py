"""The catalogue of the world: places, proof, identity, alerts, what people click."""

import sqlalchemy as sa
from alembic import op

from airledger.platform.db import UtcDateTime
from airledger.platform.migrations import full_text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blocked",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocked")),
        sa.UniqueConstraint("kind", "value", name=op.f("uq_blocked_kind_value")),
    )
    op.create_table(
        "join_progress",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("stream_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_progress")),
    )
    op.create_table(
        "logos",
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("etag", sa.String(), nullable=True),
        sa.Column("looked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("look_again_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_logos")),
    )
    op.create_table(
        "place_siblings",
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("country_code", sa.String(), nullable=False),
        sa.Column("streams", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("domain", "country_code", name=op.f("pk_place_siblings")),
    )
    op.create_table(
        "place_trust",
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("right", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("method", "host", name=op.f("pk_place_trust")),
    )
    op.create_table(
        "probe_agents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probe_agents")),
        sa.UniqueConstraint("name", name=op.f("uq_probe_agents_name")),
    )
    op.create_table(
        "sound_prints",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("listener", sa.String(), nullable=False),
        sa.Column("object_key", sa.String(), nullable=False),
        sa.Column("streams", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sound_prints")),
    )
    with op.batch_alter_table("sound_prints", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sound_prints_look"), ["look"], unique=False)

    op.create_table(
        "takedown_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("whole_host", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takedown_requests")),
    )
    with op.batch_alter_table("takedown_requests", schema=None) as batch_op:
        batch_op.create_index("ix_takedown_requests_status", ["status", "at"], unique=False)

    op.create_table(
        "visit_marks",
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_visit_marks")),
    )
    with op.batch_alter_table("visit_marks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_marks_at"), ["at"], unique=False)

    op.create_table(
        "watch_marks",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watch_marks")),
    )
    op.create_table(
        "alert_channels",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("addresses", sa.JSON(), nullable=False),
        sa.Column("secret", sa.String(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("quiet_from", sa.String(), nullable=True),
        sa.Column("quiet_to", sa.String(), nullable=True),
        sa.Column("resend_hours", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("failing_since", UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_sent_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_alert_channels_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_channels")),
    )
    with op.batch_alter_table("alert_channels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_channels_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "station_apart",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("station_a", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_b", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["station_a"], ["stations.id"], name=op.f("fk_station_apart_station_a_stations")),
        sa.ForeignKeyConstraint(["station_b"], ["stations.id"], name=op.f("fk_station_apart_station_b_stations")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station_apart")),
        sa.UniqueConstraint("station_a", "station_b", name=op.f("uq_station_apart_station_a_station_b")),
    )
    with op.batch_alter_table("station_apart", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_station_apart_station_b"), ["station_b"], unique=False)

    op.create_table(
        "station_merges",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kept_station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merged_station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stream_ids", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("facts_before", sa.JSON(), nullable=False),
        sa.Column("webhook_ids", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("undone_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["kept_station_id"], ["stations.id"], name=op.f("fk_station_merges_kept_station_id_stations")
        ),
        sa.ForeignKeyConstraint(
            ["merged_station_id"], ["stations.id"], name=op.f("fk_station_merges_merged_station_id_stations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station_merges")),
    )
    with op.batch_alter_table("station_merges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_station_merges_kept_station_id"), ["kept_station_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_station_merges_merged_station_id"), ["merged_station_id"], unique=False)
        batch_op.create_index("ix_station_merges_order", ["at", "id"], unique=False)

    op.create_table(
        "alert_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["alert_channels.id"],
            name=op.f("fk_alert_messages_channel_id_alert_channels"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_messages")),
    )
    with op.batch_alter_table("alert_messages", schema=None) as batch_op:
        batch_op.create_index("ix_alert_messages_channel", ["channel_id", "at"], unique=False)

    op.create_table(
        "alert_subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("station_ids", sa.JSON(), nullable=False),
        sa.Column("stream_ids", sa.JSON(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("countries", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["alert_channels.id"],
            name=op.f("fk_alert_subscriptions_channel_id_alert_channels"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_alert_subscriptions_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_subscriptions")),
    )
    with op.batch_alter_table("alert_subscriptions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_subscriptions_channel_id"), ["channel_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_alert_subscriptions_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("opened_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_alerts_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index("ix_alerts_newest", ["opened_at", "id"], unique=False)
        batch_op.create_index("ix_alerts_stream", ["stream_id", "opened_at"], unique=False)
        batch_op.create_index(
            "uq_alerts_open",
            ["stream_id", "kind"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "place_looks",
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("evidence_key", sa.String(), nullable=False),
        sa.Column("looked_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_place_looks_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_id", name=op.f("pk_place_looks")),
    )
    with op.batch_alter_table("place_looks", schema=None) as batch_op:
        batch_op.create_index("ix_place_looks_looked", ["looked_at"], unique=False)

    op.create_table(
        "place_votes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("country_code", sa.String(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("radius_km", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_place_votes_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_votes")),
        sa.UniqueConstraint("stream_id", "method", name=op.f("uq_place_votes_stream_id_method")),
    )
    op.create_table(
        "same_sound_pairs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("stream_a", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stream_b", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("delay_s", sa.Double(), nullable=True),
        sa.Column("looks_agreed", sa.Integer(), nullable=False),
        sa.Column("looks_related", sa.Integer(), nullable=False),
        sa.Column("looks_disagreed", sa.Integer(), nullable=False),
        sa.Column("log_odds", sa.Double(), nullable=False),
        sa.Column("same_since", UtcDateTime(timezone=True), nullable=True),
        sa.Column("first_seen", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_a"], ["streams.id"], name=op.f("fk_same_sound_pairs_stream_a_streams"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["stream_b"], ["streams.id"], name=op.f("fk_same_sound_pairs_stream_b_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_same_sound_pairs")),
        sa.UniqueConstraint("stream_a", "stream_b", name=op.f("uq_same_sound_pairs_stream_a_stream_b")),
    )
    with op.batch_alter_table("same_sound_pairs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_same_sound_pairs_last_seen"), ["last_seen"], unique=False)
        batch_op.create_index(batch_op.f("ix_same_sound_pairs_stream_b"), ["stream_b"], unique=False)

    op.create_table(
        "station_clues",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("clue", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_station_clues_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station_clues")),
        sa.UniqueConstraint("stream_id", "kind", name=op.f("uq_station_clues_stream_id_kind")),
    )
    with op.batch_alter_table("station_clues", schema=None) as batch_op:
        batch_op.create_index("ix_station_clues_clue", ["clue", "kind", "name_key"], unique=False)

    op.create_table(
        "stream_clicks",
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", UtcDateTime(timezone=True), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("addresses", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_stream_clicks_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_id", "day", "hour", name=op.f("pk_stream_clicks")),
    )
    with op.batch_alter_table("stream_clicks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stream_clicks_day"), ["day"], unique=False)

    op.create_table(
        "stream_days",
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("begins_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("successes", sa.Integer(), nullable=False),
        sa.Column("response_p50_ms", sa.Integer(), nullable=True),
        sa.Column("response_p95_ms", sa.Integer(), nullable=True),
        sa.Column("response_mean_ms", sa.Double(), nullable=True),
        sa.Column("bandwidth_kbps", sa.Integer(), nullable=True),
        sa.Column("downtime_s", sa.Integer(), nullable=False),
        sa.Column("causes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_stream_days_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_id", "begins_at", name=op.f("pk_stream_days")),
    )
    op.create_table(
        "stream_habits",
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("days", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_stream_habits_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_id", name=op.f("pk_stream_habits")),
    )
    op.create_table(
        "stream_hours",
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("begins_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("successes", sa.Integer(), nullable=False),
        sa.Column("response_p50_ms", sa.Integer(), nullable=True),
        sa.Column("response_p95_ms", sa.Integer(), nullable=True),
        sa.Column("response_mean_ms", sa.Double(), nullable=True),
        sa.Column("bandwidth_kbps", sa.Integer(), nullable=True),
        sa.Column("downtime_s", sa.Integer(), nullable=False),
        sa.Column("causes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_stream_hours_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_id", "begins_at", name=op.f("pk_stream_hours")),
    )
    op.create_table(
        "stream_trends",
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_stream_trends_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_id", name=op.f("pk_stream_trends")),
    )
    op.create_table(
        "stream_verdicts",
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("looked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("due_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("is_valid", sa.Boolean(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("risk_score", sa.Double(), nullable=True),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("probabilities", sa.JSON(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=True),
        sa.Column("features", sa.String(), nullable=True),
        sa.Column("vector", sa.JSON(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_stream_verdicts_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_id", name=op.f("pk_stream_verdicts")),
    )
    with op.batch_alter_table("stream_verdicts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stream_verdicts_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_stream_verdicts_looked_at"), ["looked_at"], unique=False)

    op.create_table(
        "submissions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("url_key", sa.String(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("submitted_by", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_submissions_stream_id_streams"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("url_key", name=op.f("uq_submissions_url_key")),
    )
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.create_index("ix_submissions_by", ["submitted_by", "status"], unique=False)
        batch_op.create_index("ix_submissions_waiting", ["status", "created_at", "id"], unique=False)

    op.create_table(
        "vantage_views",
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("leased_until", UtcDateTime(timezone=True), nullable=False),
        sa.Column("checked_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("is_healthy", sa.Boolean(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["probe_agents.id"], name=op.f("fk_vantage_views_agent_id_probe_agents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_vantage_views_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_id", "agent_id", name=op.f("pk_vantage_views")),
    )
    with op.batch_alter_table("vantage_views", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vantage_views_agent_id"), ["agent_id"], unique=False)

    op.create_table(
        "verdict_labels",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("was", sa.String(), nullable=False),
        sa.Column("looked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("features", sa.String(), nullable=False),
        sa.Column("vector", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_verdict_labels_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict_labels")),
    )
    with op.batch_alter_table("verdict_labels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verdict_labels_by"), ["by"], unique=False)
        batch_op.create_index(batch_op.f("ix_verdict_labels_stream_id"), ["stream_id"], unique=False)

    op.create_table(
        "yp_announcements",
        sa.Column("sid", sa.String(), nullable=False),
        sa.Column("stream_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("listen_url", sa.String(), nullable=False),
        sa.Column("announced_from", sa.String(), nullable=False),
        sa.Column("is_own", sa.Boolean(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("current_song", sa.String(), nullable=True),
        sa.Column("listeners", sa.Integer(), nullable=True),
        sa.Column("touches", sa.Integer(), nullable=False),
        sa.Column("added_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_touch", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["streams.id"], name=op.f("fk_yp_announcements_stream_id_streams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_yp_announcements")),
    )
    with op.batch_alter_table("yp_announcements", schema=None) as batch_op:
        batch_op.create_index("ix_yp_announcements_from", ["announced_from", "ended_at"], unique=False)
        batch_op.create_index("ix_yp_announcements_open", ["ended_at", "expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_yp_announcements_stream_id"), ["stream_id"], unique=False)

    op.create_table(
        "alert_acks",
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_alert_acks_alert_id_alerts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_alert_acks_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("alert_id", "organisation_id", name=op.f("pk_alert_acks")),
    )
    op.create_table(
        "alert_notices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("told_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_alert_notices_alert_id_alerts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["alert_channels.id"],
            name=op.f("fk_alert_notices_channel_id_alert_channels"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["alert_messages.id"],
            name=op.f("fk_alert_notices_message_id_alert_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_notices")),
        sa.UniqueConstraint("alert_id", "channel_id", "what", name=op.f("uq_alert_notices_alert_id_channel_id_what")),
    )
    with op.batch_alter_table("alert_notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_notices_channel_id"), ["channel_id"], unique=False)
        batch_op.create_index("ix_alert_notices_told", ["channel_id", "told_at"], unique=False)
        batch_op.create_index("ix_alert_notices_waiting", ["message_id", "at"], unique=False)

    with op.batch_alter_table("crawls", schema=None) as batch_op:
        batch_op.add_column(sa.Column("validators", sa.JSON(), nullable=True))
        batch_op.drop_column("last_modified")
        batch_op.drop_column("etag")

    with op.batch_alter_table("geolocation_data", schema=None) as batch_op:
        batch_op.add_column(sa.Column("country_code", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("country_probability", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("candidates", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("located_at", UtcDateTime(timezone=True), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_geolocation_data_country_probability"), ["country_probability"], unique=False
        )
        batch_op.create_index("ix_geolocation_data_place", ["latitude", "longitude"], unique=False)

    with op.batch_alter_table("listings", schema=None) as batch_op:
        batch_op.create_index("ix_listings_source_key", ["source_key"], unique=False)

    with op.batch_alter_table("stations", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("merged_into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.create_index(batch_op.f("ix_stations_merged_into_id"), ["merged_into_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_stations_merged_into_id_stations"), "stations", ["merged_into_id"], ["id"]
        )

    with op.batch_alter_table("stream_metrics", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_healthy", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("down_s", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("cause", sa.String(), server_default="", nullable=False))
        batch_op.create_index("ix_stream_metrics_at", ["check_timestamp"], unique=False)

    with op.batch_alter_table("streams", schema=None) as batch_op:
        batch_op.add_column(sa.Column("recent_checks", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("is_flapping", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))
        batch_op.add_column(sa.Column("remote_address", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("says_geo_blocked", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("says_part_time", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("allows_any_origin", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("https_url", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("https_tried_at", UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("playable_in", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("deep_proof_at", UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("votes", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("click_count", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("click_trend", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("clicked_at", UtcDateTime(timezone=True), nullable=True))
        batch_op.drop_index(batch_op.f("ix_streams_due"))
        batch_op.create_index("ix_streams_due", ["next_check_at", "id", "host"], unique=False)
        batch_op.create_index("ix_streams_changed", ["updated_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_streams_click_count"), ["click_count"], unique=False)
        batch_op.create_index(batch_op.f("ix_streams_clicked_at"), ["clicked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_streams_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_streams_votes"), ["votes"], unique=False)

    with op.batch_alter_table("verification_history", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cause_confidence", sa.Double(), nullable=True))
        batch_op.create_index("ix_verification_history_at", ["checked_at"], unique=False)
    full_text.lay(op.get_bind())


def downgrade() -> None:
    full_text.remove(op.get_bind())
    with op.batch_alter_table("verification_history", schema=None) as batch_op:
        batch_op.drop_index("ix_verification_history_at")
        batch_op.drop_column("cause_confidence")

    with op.batch_alter_table("streams", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_streams_votes"))
        batch_op.drop_index(batch_op.f("ix_streams_name"))
        batch_op.drop_index(batch_op.f("ix_streams_clicked_at"))
        batch_op.drop_index(batch_op.f("ix_streams_click_count"))
        batch_op.drop_index("ix_streams_changed")
        batch_op.drop_index("ix_streams_due")
        batch_op.create_index(batch_op.f("ix_streams_due"), ["state", "next_check_at"], unique=False)
        batch_op.drop_column("clicked_at")
        batch_op.drop_column("click_trend")
        batch_op.drop_column("click_count")
        batch_op.drop_column("votes")
        batch_op.drop_column("deep_proof_at")
        batch_op.drop_column("playable_in")
        batch_op.drop_column("https_tried_at")
        batch_op.drop_column("https_url")
        batch_op.drop_column("allows_any_origin")
        batch_op.drop_column("says_part_time")
        batch_op.drop_column("says_geo_blocked")
        batch_op.drop_column("remote_address")
        batch_op.drop_column("is_flapping")
        batch_op.drop_column("recent_checks")

    with op.batch_alter_table("stream_metrics", schema=None) as batch_op:
        batch_op.drop_index("ix_stream_metrics_at")
        batch_op.drop_column("cause")
        batch_op.drop_column("down_s")
        batch_op.drop_column("is_healthy")

    with op.batch_alter_table("stations", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_stations_merged_into_id_stations"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_stations_merged_into_id"))
        batch_op.drop_column("merged_into_id")

    with op.batch_alter_table("listings", schema=None) as batch_op:
        batch_op.drop_index("ix_listings_source_key")

    with op.batch_alter_table("geolocation_data", schema=None) as batch_op:
        batch_op.drop_index("ix_geolocation_data_place")
        batch_op.drop_index(batch_op.f("ix_geolocation_data_country_probability"))
        batch_op.drop_column("located_at")
        batch_op.drop_column("candidates")
        batch_op.drop_column("country_probability")
        batch_op.drop_column("country_code")

    with op.batch_alter_table("crawls", schema=None) as batch_op:
        batch_op.add_column(sa.Column("etag", sa.VARCHAR(), nullable=True))
        batch_op.add_column(sa.Column("last_modified", sa.VARCHAR(), nullable=True))
        batch_op.drop_column("validators")

    with op.batch_alter_table("alert_notices", schema=None) as batch_op:
        batch_op.drop_index("ix_alert_notices_waiting")
        batch_op.drop_index("ix_alert_notices_told")
        batch_op.drop_index(batch_op.f("ix_alert_notices_channel_id"))

    op.drop_table("alert_notices")
    op.drop_table("alert_acks")
    with op.batch_alter_table("yp_announcements", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_yp_announcements_stream_id"))
        batch_op.drop_index("ix_yp_announcements_open")
        batch_op.drop_index("ix_yp_announcements_from")

    op.drop_table("yp_announcements")
    with op.batch_alter_table("verdict_labels", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verdict_labels_stream_id"))
        batch_op.drop_index(batch_op.f("ix_verdict_labels_by"))

    op.drop_table("verdict_labels")
    with op.batch_alter_table("vantage_views", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vantage_views_agent_id"))

    op.drop_table("vantage_views")
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.drop_index("ix_submissions_waiting")
        batch_op.drop_index("ix_submissions_by")

    op.drop_table("submissions")
    with op.batch_alter_table("stream_verdicts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stream_verdicts_looked_at"))
        batch_op.drop_index(batch_op.f("ix_stream_verdicts_due_at"))

    op.drop_table("stream_verdicts")
    op.drop_table("stream_trends")
    op.drop_table("stream_hours")
    op.drop_table("stream_habits")
    op.drop_table("stream_days")
    with op.batch_alter_table("stream_clicks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stream_clicks_day"))

    op.drop_table("stream_clicks")
    with op.batch_alter_table("station_clues", schema=None) as batch_op:
        batch_op.drop_index("ix_station_clues_clue")

    op.drop_table("station_clues")
    with op.batch_alter_table("same_sound_pairs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_same_sound_pairs_stream_b"))
        batch_op.drop_index(batch_op.f("ix_same_sound_pairs_last_seen"))

    op.drop_table("same_sound_pairs")
    op.drop_table("place_votes")
    with op.batch_alter_table("place_looks", schema=None) as batch_op:
        batch_op.drop_index("ix_place_looks_looked")

    op.drop_table("place_looks")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_alerts_open", sqlite_where=sa.text("closed_at IS NULL"), postgresql_where=sa.text("closed_at IS NULL")
        )
        batch_op.drop_index("ix_alerts_stream")
        batch_op.drop_index("ix_alerts_newest")

    op.drop_table("alerts")
    with op.batch_alter_table("alert_subscriptions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_subscriptions_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_alert_subscriptions_channel_id"))

    op.drop_table("alert_subscriptions")
    with op.batch_alter_table("alert_messages", schema=None) as batch_op:
        batch_op.drop_index("ix_alert_messages_channel")

    op.drop_table("alert_messages")
    with op.batch_alter_table("station_merges", schema=None) as batch_op:
        batch_op.drop_index("ix_station_merges_order")
        batch_op.drop_index(batch_op.f("ix_station_merges_merged_station_id"))
        batch_op.drop_index(batch_op.f("ix_station_merges_kept_station_id"))

    op.drop_table("station_merges")
    with op.batch_alter_table("station_apart", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_station_apart_station_b"))

    op.drop_table("station_apart")
    with op.batch_alter_table("alert_channels", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_channels_organisation_id"))

    op.drop_table("alert_channels")
    op.drop_table("watch_marks")
    with op.batch_alter_table("visit_marks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visit_marks_at"))

    op.drop_table("visit_marks")
    with op.batch_alter_table("takedown_requests", schema=None) as batch_op:
        batch_op.drop_index("ix_takedown_requests_status")

    op.drop_table("takedown_requests")
    with op.batch_alter_table("sound_prints", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sound_prints_look"))

    op.drop_table("sound_prints")
    op.drop_table("probe_agents")
    op.drop_table("place_trust")
    op.drop_table("place_siblings")
    op.drop_table("logos")
    op.drop_table("join_progress")
    op.drop_table("blocked")
