//! Words of `outbox`.
