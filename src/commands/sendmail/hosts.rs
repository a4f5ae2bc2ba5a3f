//! The names of this host: a mail to an address there is local.

use std::fs;

use crate::config;

/// Where Debian keeps the domain of mails from this host. Source: mailname(5).
const MAILNAME: &str = "/etc/mailname";

/// The static names of hosts. Source: hosts(5).
const HOSTS: &str = "/etc/hosts";

/// Returns all names of this host, its own first.
pub(super) fn names() -> Vec<String> {
    let read = |path| fs::read(path).unwrap_or_default();
    let [mailname, hosts] = [MAILNAME, HOSTS].map(read);
    let [mailname, hosts] = [mailname, hosts].map(|it| String::from_utf8_lossy(&it).into_owned());
    of(config::hostname(), &mailname, &hosts)
}

fn of(host: String, mailname: &str, hosts: &str) -> Vec<String> {
    let short = host.split('.').next().unwrap_or_default().to_owned();
    let is_own = |name: &&str| {
        [&host, &short]
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own))
    };
    let lines = hosts.lines().map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        // The address comes first.
        line.split_whitespace().skip(1).collect::<Vec<_>>()
    });
    let aliases: Vec<String> = lines
        .filter(|names| names.iter().any(is_own))
        .flatten()
        .map(str::to_owned)
        .collect();
    let others = ["localhost", "localhost.localdomain", mailname.trim()];
    let mut names = vec![host.clone(), short.clone()];
    names.extend(others.map(str::to_owned));
    names.extend(aliases);
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_mails_and_the_aliases_of_our_own_name_are_ours() {
        let hosts =
            "127.0.0.1 localhost\n127.0.1.1\tweb1.corp.cn WEB1 www # db1\n10.0.0.2 db1 db\n";
        let names = of("web1".to_owned(), "mail.corp.cn\n", hosts);
        for ours in ["web1", "localhost", "mail.corp.cn", "web1.corp.cn", "www"] {
            assert!(names.iter().any(|name| name == ours), "{ours}: {names:?}");
        }
        for theirs in ["db1", "db", "127.0.1.1", "#", ""] {
            assert!(
                names.iter().all(|name| name != theirs),
                "{theirs}: {names:?}"
            );
        }
    }
}
