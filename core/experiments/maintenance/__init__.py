"""Maintenance: lost cohorts and wake-up tasks are found again, webhooks sent, files that nobody needs removed."""

from core.experiments.maintenance.files_watch import FilesWatch
from core.experiments.maintenance.sweeper import Sweeper, sweep
from core.experiments.maintenance.webhook_sender import WebhookSender, send_due

__all__ = ["FilesWatch", "Sweeper", "WebhookSender", "send_due", "sweep"]
