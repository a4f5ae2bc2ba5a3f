//! Words for WeCom's refusals and for networks that fail.
