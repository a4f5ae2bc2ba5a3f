//! Words for messages and files that WeCom would refuse or cut.
