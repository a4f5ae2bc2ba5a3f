//! The accounts of this machine, by user id.

use std::collections::HashMap;
use std::fs;

/// What `/etc/passwd` says: accounts of a directory service are not in it.
#[derive(Debug)]
pub(crate) struct Accounts(HashMap<u32, String>);

impl Accounts {
    /// Reads them; there are none if they cannot be read.
    pub(super) fn read() -> Self {
        let accounts = fs::read("/etc/passwd").unwrap_or_default();
        let accounts = String::from_utf8_lossy(&accounts);
        let rows = accounts.lines().rev();
        let account = |row: &str| {
            let mut words = row.split(':');
            let (name, _, uid) = (words.next()?, words.next()?, words.next()?);
            Some((uid.parse().ok()?, name.to_owned()))
        };
        // Of two with one id, the first counts.
        Self(rows.filter_map(account).collect())
    }

    /// Returns the user as whom an id counts: `None` for all without an account, since one person may have
    /// thousands of ids.
    pub(super) fn user(&self, uid: u32) -> Option<u32> {
        self.0.contains_key(&uid).then_some(uid)
    }

    /// Returns the name of a user, if there is an account.
    pub(crate) fn name(&self, uid: u32) -> Option<&str> {
        self.0.get(&uid).map(String::as_str)
    }
}
