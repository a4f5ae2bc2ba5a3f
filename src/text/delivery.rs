//! Words for how a delivery ended.
