//! Words of `api`, `upload`, `recall`, `token`, `explain` and the pages.
