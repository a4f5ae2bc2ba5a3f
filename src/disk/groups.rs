//! Who is in a group: what it may write to may belong to one user all the same.

use std::collections::HashSet;
use std::fs;

/// Returns the name of a user, unless it comes from a directory service.
pub(crate) fn user_name(uid: u32) -> Option<String> {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let uid = uid.to_string();
    let rows = accounts.lines().map(|line| line.split(':'));
    let mut named = rows.filter_map(|mut row| Some((row.next()?, row.nth(1)?)));
    named
        .find(|(_, id)| *id == uid)
        .map(|(name, _)| name.to_owned())
}

/// Whether a group has members besides root and this user.
pub(crate) fn group_has_others(uid: u32, gid: u32) -> bool {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    has_others_in(&read("/etc/passwd"), &read("/etc/group"), uid, gid)
}

fn has_others_in(accounts: &str, groups: &str, uid: u32, gid: u32) -> bool {
    fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
        let rows = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        rows.filter(|row| row.len() > 3)
    }
    let gid = gid.to_string();
    let uid = uid.to_string();
    let may = |row: &&Vec<&str>| row[2] == uid || row[2] == "0";
    let accounts: Vec<_> = rows(accounts).collect();
    let names: HashSet<&str> = accounts.iter().filter(may).map(|row| row[0]).collect();
    let Some(group) = rows(groups).find(|row| row[2] == gid) else {
        // Of a directory service, which may have any members; root's own where there are no accounts.
        return gid != "0";
    };
    let mut members = group[3].split(',').filter(|member| !member.is_empty());
    let is_primary = |row: &Vec<&str>| row[3] == gid && !may(&row);
    members.any(|member| !names.contains(member)) || accounts.iter().any(is_primary)
}

#[cfg(test)]
mod tests {
    use super::has_others_in;

    #[test]
    fn a_group_without_others_is_as_good_as_its_owner() {
        let accounts = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1002::/:/bin/sh\n";
        let groups = "root:x:0:\nann:x:1000:\nstaff:x:50:\nadm:x:4:ann,root\nbob:x:1001:ann\nshared:x:1002:\n";
        for (uid, gid, others) in [
            (1000, 1000, false),
            (0, 50, false),
            (1000, 4, false),
            (0, 4, true),
            (0, 1000, true),
            (1001, 1001, true),
            (1001, 1002, false),
            (0, 1002, true),
            (0, 77, true),
        ] {
            assert_eq!(
                has_others_in(accounts, groups, uid, gid),
                others,
                "{uid} {gid}"
            );
        }
        assert!(has_others_in("", "", 0, 5));
    }
}
