//! Maps mail addresses to recipients: by the config's `[mail]`, and local ones to its default
//! recipients.

use std::collections::HashSet;

use crate::config::{Config, MailTo};
use crate::error::Failure;
use crate::maildrop::Envelope;
use crate::message::Mailbox;
use crate::text::sendmail as words;

/// The most unknown addresses that are named.
const UNKNOWN_MAX: usize = 20;

/// The longest address, in characters. Source: RFC 5321, 4.5.3.1.
const ADDRESS_MAX: usize = 320;

/// The recipients of a mail, and its unknown addresses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Without duplicates.
    pub(super) to: Vec<MailTo>,
    pub(super) unknown: Vec<String>,
}

/// Returns all addresses of a mail, those in its head only if the caller wants that.
///
/// # Errors
/// `Exit::Usage` or `Exit::Data` if there are none.
pub(super) fn named<'a>(
    envelope: &'a Envelope,
    in_head: &'a [String],
) -> Result<Vec<&'a str>, Failure> {
    let in_head = if envelope.by_head { in_head } else { &[] };
    let all = envelope.addresses.iter().chain(in_head);
    let all: Vec<&str> = all.map(String::as_str).collect();
    match envelope.by_head {
        _ if !all.is_empty() => Ok(all),
        true => Err(words::no_recipient_in_head()),
        false => Err(words::no_address()),
    }
}

/// Finds the recipients of addresses.
pub(super) fn find(addresses: &[&str], config: &Config, hosts: &[String]) -> Found {
    let mut found = Found::default();
    // A mail may name one address a million times.
    let mut seen = HashSet::new();
    for address in addresses.iter().filter(|it| seen.insert(**it)) {
        match recipients(address, config, hosts) {
            Some(to) if found.to.contains(&to) => {}
            Some(to) => found.to.push(to),
            // Named for a person: not all of a million, and none as long as a mail.
            None if found.unknown.len() < UNKNOWN_MAX => {
                found
                    .unknown
                    .push(address.chars().take(ADDRESS_MAX).collect());
            }
            None => {}
        }
    }
    found
}

/// Finds the recipients of an address, if it has any.
pub(super) fn recipients(address: &str, config: &Config, hosts: &[String]) -> Option<MailTo> {
    if address.len() > ADDRESS_MAX {
        return None;
    }
    let forms = forms(address, hosts);
    let is_local = forms.len() > 1;
    let known = config.mail_to(&forms).cloned();
    known.or(is_local.then_some(MailTo::Own))
}

/// Whether a mailbox is not one of this host, whose names are these, its own first: a person or
/// another host.
pub(super) fn is_foreign(mailbox: &Mailbox, hosts: &[String]) -> bool {
    let Some((_, domain)) = mailbox.address.rsplit_once('@') else {
        return false;
    };
    let domain = domain.trim_end_matches('.');
    let is = |name: &String| domain.eq_ignore_ascii_case(name);
    // A program may know a longer name of this host than its files say: web1.corp.cn.
    let first = |name: &str| {
        name.split('.')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let is_longer = domain.matches('.').count() > 1
        && hosts.first().is_some_and(|own| first(own) == first(domain));
    !(domain.is_empty() || is_longer || hosts.iter().any(is))
}

/// Returns the equivalent forms of an address: several if it is on this host, whose names are these.
fn forms(address: &str, hosts: &[String]) -> Vec<String> {
    let is_ours = |domain: &str| hosts.iter().any(|it| domain.eq_ignore_ascii_case(it));
    let user = match address.rsplit_once('@') {
        Some((user, domain)) if is_ours(domain) => user,
        Some(_) => return vec![address.to_owned()],
        None => address,
    };
    let mut forms = vec![user.to_owned(), address.to_owned()];
    forms.extend(hosts.iter().map(|host| format!("{user}@{host}")));
    forms
}

#[cfg(test)]
mod tests {
    use super::{Mailbox, forms, is_foreign};

    #[test]
    fn only_who_is_not_of_this_host_is_foreign() {
        let hosts = ["web1", "localhost", "corp.cn"].map(str::to_owned);
        for (address, expected) in [
            ("root", false),
            ("root@", false),
            ("root@LOCALHOST", false),
            ("www-data@corp.cn", false),
            ("root@web1.", false),
            ("root@web1.example.com", false),
            ("alice@web1.ru", true),
            ("alice@example.com", true),
            ("root@web2.corp.cn", true),
        ] {
            let mailbox = Mailbox {
                name: String::new(),
                address: address.to_owned(),
            };
            assert_eq!(is_foreign(&mailbox, &hosts), expected, "{address}");
        }
    }

    #[test]
    fn only_addresses_of_this_host_are_local() {
        for (address, local) in [
            ("root", true),
            ("root@localhost", true),
            ("root@LOCALHOST.localdomain", true),
            ("root@Web1.corp.cn", true),
            ("root@web1", true),
            ("root@web2", false),
            ("root@corp.cn", false),
            ("root@localhost@corp.cn", false),
            ("root@", false),
        ] {
            let hosts = ["web1.corp.cn", "web1", "localhost", "localhost.localdomain"];
            let forms = forms(address, &hosts.map(str::to_owned));
            assert_eq!(forms.len() > 1, local, "{address}");
            assert_eq!(forms[0], if local { "root" } else { address });
        }
    }
}
