"""The catalogue of the world: places, proof, identity, alerts, what people click."""

import sqlalchemy as sa
from alembic import op

from airledger.platform.db import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "host_rests",
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("until", UtcDateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("times_in_row", sa.Integer(), nullable=False),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_host_rests")),
    )
    with op.batch_alter_table("host_rests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_host_rests_until"), ["until"], unique=False)

    op.create_table(
        "probe_agents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probe_agents")),
        sa.UniqueConstraint("name", name=op.f("uq_probe_agents_name")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_probe_agents_organisation_id_name")),
    )
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
        batch_op.create_index("ix_vantage_views_agent", ["agent_id", "checked_at"], unique=False)

    with op.batch_alter_table("streams", schema=None) as batch_op:
        batch_op.add_column(sa.Column("allows_any_origin", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("https_url", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("https_tried_at", UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("playable_in", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("deep_proof_at", UtcDateTime(timezone=True), nullable=True))

    with op.batch_alter_table("verification_history", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cause_confidence", sa.Double(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("verification_history", schema=None) as batch_op:
        batch_op.drop_column("cause_confidence")

    with op.batch_alter_table("streams", schema=None) as batch_op:
        batch_op.drop_column("deep_proof_at")
        batch_op.drop_column("playable_in")
        batch_op.drop_column("https_tried_at")
        batch_op.drop_column("https_url")
        batch_op.drop_column("allows_any_origin")

    with op.batch_alter_table("vantage_views", schema=None) as batch_op:
        batch_op.drop_index("ix_vantage_views_agent")

    op.drop_table("vantage_views")
    op.drop_table("probe_agents")
    with op.batch_alter_table("host_rests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_host_rests_until"))

    op.drop_table("host_rests")
