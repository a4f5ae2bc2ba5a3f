//! Words for crontab lines.
