//! Words of `run`, its report on the phone among them.
