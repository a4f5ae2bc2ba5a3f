//! Words for files, locks and logs.
