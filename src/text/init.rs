//! Words of `init`.
