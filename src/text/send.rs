//! Words of `send`.
