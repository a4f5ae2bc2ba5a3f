//! Who is in a group: what it may write to may belong to one user all the same.

use std::collections::HashSet;
use std::fs;

use super::lossy;

/// Returns the name of a user, unless it comes from a directory service.
pub(crate) fn user_name(uid: u32) -> Option<String> {
    let accounts = lossy(fs::read("/etc/passwd").unwrap_or_default());
    let uid = uid.to_string();
    let rows = accounts.lines().map(|line| line.split(':'));
    let mut named = rows.filter_map(|mut row| Some((row.next()?, row.nth(1)?)));
    named
        .find(|(_, id)| *id == uid)
        .map(|(name, _)| name.to_owned())
}

/// The sources of accounts whose members of groups are known here.
const LOCAL_SOURCES: [&str; 3] = ["files", "compat", "systemd"];

/// Where systemd's source finds accounts and members of groups, as files.
/// Source: `nss-systemd(8)`.
const USERDB: [&str; 5] = [
    "/etc/userdb",
    "/run/userdb",
    "/run/host/userdb",
    "/usr/local/lib/userdb",
    "/usr/lib/userdb",
];

/// Where it finds the services that know accounts.
const USERDB_SERVICES: &str = "/run/systemd/userdb";

/// The services whose accounts are in no group but their own, or in those of the other sources.
const SERVICES_OF_OWN: [&str; 6] = [
    "io.systemd.DropIn",
    "io.systemd.DynamicUser",
    "io.systemd.Machine",
    "io.systemd.Multiplexer",
    "io.systemd.NameServiceSwitch",
    "io.systemd.NamespaceResource",
];

/// Whether a group has members besides root and this user.
pub(super) fn group_has_others(uid: u32, gid: u32) -> bool {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let (accounts, groups) = (read("/etc/passwd"), read("/etc/group"));
    has_others_in(&accounts, &groups, uid, gid)
        || (has_other_sources(&read("/etc/nsswitch.conf"))
            || has_service_rows(&accounts, &groups)
            || has_userdb())
            && !is_private_in(&accounts, &groups, uid, gid)
}

/// Whether accounts come from a directory service, too, which doesn't tell who is in a group.
fn has_other_sources(switch: &str) -> bool {
    let lines = switch.lines().filter_map(|line| line.split_once(':'));
    let of_accounts =
        lines.filter(|(name, _)| matches!(name.trim(), "passwd" | "group" | "initgroups"));
    let mut sources = of_accounts.flat_map(|(_, sources)| {
        let sources = sources
            .split_once('#')
            .map_or(sources, |(sources, _)| sources);
        // What is between brackets says when to ask the next one.
        sources
            .split_whitespace()
            .filter(|it| !it.starts_with('[') && !it.ends_with(']'))
    });
    sources.any(|source| !LOCAL_SOURCES.contains(&source))
}

/// Whether systemd may know of more members of groups.
fn has_userdb() -> bool {
    let names = |dir| {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
    };
    adds_members(USERDB.into_iter().flat_map(names), names(USERDB_SERVICES))
}

fn adds_members(
    mut files: impl Iterator<Item = String>,
    mut services: impl Iterator<Item = String>,
) -> bool {
    // Users with a group, groups with members, and memberships.
    files.next().is_some() || services.any(|name| !SERVICES_OF_OWN.contains(&&*name))
}

/// Whether rows of NIS are mixed into the files (`compat`).
fn has_service_rows(accounts: &str, groups: &str) -> bool {
    let mut rows = accounts.lines().chain(groups.lines());
    rows.any(|row| row.starts_with('+'))
}

/// Whether a group is root's, or a user's own of the same name, into which a directory service puts
/// nobody else.
fn is_private_in(accounts: &str, groups: &str, uid: u32, gid: u32) -> bool {
    let name_of = |text: &str, at: usize, id: u32| {
        let row = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let mut row = row.filter(|row| row.get(at).is_some_and(|it| *it == id.to_string()));
        row.next().map(|row| row[0].to_owned())
    };
    gid == 0 || name_of(accounts, 2, uid).is_some_and(|name| name_of(groups, 2, gid) == Some(name))
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
    // Several names may have one number.
    let of_gid: Vec<_> = rows(groups).filter(|row| row[2] == gid).collect();
    if of_gid.is_empty() {
        // Of a directory service, which may have any members; root's own where there are no accounts.
        return gid != "0";
    }
    let members = of_gid.iter().flat_map(|row| row[3].split(','));
    let mut members = members.filter(|member| !member.is_empty());
    let is_primary = |row: &Vec<&str>| row[3] == gid && !may(&row);
    members.any(|member| !names.contains(member)) || accounts.iter().any(is_primary)
}

#[cfg(test)]
mod tests {
    use super::{SERVICES_OF_OWN, adds_members, has_other_sources, has_others_in, is_private_in};

    #[test]
    fn a_group_without_others_is_as_good_as_its_owner() {
        let accounts = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1002::/:/bin/sh\n";
        let groups = "root:x:0:\nann:x:1000:\nstaff:x:50:\nadm:x:4:ann,root\nbob:x:1001:ann\nshared:x:1002:\nops:x:60:\nops2:x:60:ann\n";
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
            (0, 60, true),
            (1000, 60, false),
        ] {
            assert_eq!(
                has_others_in(accounts, groups, uid, gid),
                others,
                "{uid} {gid}"
            );
        }
        assert!(has_others_in("", "", 0, 5));
    }

    #[test]
    fn systemd_may_put_members_into_groups_by_files_and_by_services() {
        let own = || SERVICES_OF_OWN.map(str::to_owned).into_iter();
        for (file, service, adds) in [
            ("", "", false),
            ("ann.user", "", true),
            ("ann:staff.membership", "", true),
            ("", "io.systemd.Home", true),
        ] {
            let some = |name: &'static str| Some(name.to_owned()).filter(|it| !it.is_empty());
            let services = own().chain(some(service));
            let found = adds_members(some(file).into_iter(), services);
            assert_eq!(found, adds, "{file} {service}");
        }
    }

    #[test]
    fn a_directory_service_may_put_anybody_into_a_group_but_root_s_and_a_user_s_own() {
        for (switch, others) in [
            ("", false),
            (
                "passwd: files systemd\ngroup:  files [SUCCESS=merge] systemd\n",
                false,
            ),
            ("passwd: files sss\ngroup: files\n", true),
            ("passwd: files altfiles\n", true),
            (
                "hosts: files dns\n# passwd: ldap\npasswd: files # ldap\n",
                false,
            ),
            ("group: files [NOTFOUND=return] ldap\n", true),
        ] {
            assert_eq!(has_other_sources(switch), others, "{switch}");
        }
        let accounts = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";
        let groups = "root:x:0:\nann:x:1000:\nusers:x:100:\n";
        for (uid, gid, is_private) in [
            (0, 0, true),
            (1000, 1000, true),
            (0, 100, false),
            (1000, 100, false),
        ] {
            assert_eq!(
                is_private_in(accounts, groups, uid, gid),
                is_private,
                "{uid} {gid}"
            );
        }
    }
}
