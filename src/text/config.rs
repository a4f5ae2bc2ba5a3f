//! Words for what is wrong with a config.
