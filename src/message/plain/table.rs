//! Tables: a line with `|`, under it a line of dashes with as many cells, and rows.

/// What the line at hand is to a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// Nothing.
    None,
    /// The names of the columns.
    Head,
    /// The dashes under them.
    Separator,
    /// A row.
    Row,
}

impl Table {
    /// What `line` is, where the line before was `self`.
    pub(super) fn next(self, line: &str, next: Option<&str>) -> Self {
        match self {
            Self::Head => Self::Separator,
            Self::Separator | Self::Row if line.contains('|') => Self::Row,
            _ if next.is_some_and(|next| begins(line, next)) => Self::Head,
            _ => Self::None,
        }
    }
}

fn begins(line: &str, next: &str) -> bool {
    let dashes = |cell: &str| {
        let cell = cell.strip_prefix(':').unwrap_or(cell);
        let cell = cell.strip_suffix(':').unwrap_or(cell);
        !cell.is_empty() && cell.bytes().all(|byte| byte == b'-')
    };
    line.contains('|')
        && next.contains('|')
        && cells(next).all(dashes)
        && cells(line).count() == cells(next).count()
}

/// The cells of a row, trimmed; `\|` divides none.
pub(super) fn cells(row: &str) -> impl Iterator<Item = &str> {
    let row = row.trim();
    let mut rest = Some(row.strip_prefix('|').unwrap_or(row));
    std::iter::from_fn(move || {
        let row = rest?;
        let end = bar(row);
        let (cell, after) = row.split_at(end.unwrap_or(row.len()));
        // The bar at the end of a row closes it.
        rest = after.strip_prefix('|').filter(|after| !after.is_empty());
        Some(cell.trim())
    })
}

/// Where the first bar without a backslash stands.
fn bar(row: &str) -> Option<usize> {
    let mut escaped = false;
    row.bytes().position(|byte| {
        let found = byte == b'|' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    })
}
