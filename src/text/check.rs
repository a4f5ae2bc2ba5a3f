//! Words of `check`.
