//! Maps mail addresses to recipients: by the config's `[mail]`, and local ones to its default
//! recipients.

use super::argv::Asked;
use crate::config::{Config, MailTo, value};
use crate::error::Failure;
use crate::message::Recipients;
use crate::text::sendmail as words;

/// The recipients of a mail, and its unknown addresses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Without duplicates; `None` for the config's own recipients.
    pub(super) to: Vec<Option<Recipients>>,
    pub(super) unknown: Vec<String>,
}

/// Finds the recipients of addresses.
///
/// # Errors
/// `Exit::Usage` or `Exit::Data` if there are no addresses.
pub(super) fn find(
    asked: &Asked,
    named: &[String],
    config: &Config,
    hosts: &[String],
) -> Result<Found, Failure> {
    let named = if asked.by_head { named } else { &[] };
    let mut found = Found::default();
    for address in asked.addresses.iter().chain(named) {
        let forms = forms(address, hosts);
        match config.mail_to(&forms) {
            Some(MailTo::These(recipients)) => found.add(Some(recipients.clone())),
            Some(MailTo::Own) => found.add(None),
            None if forms.len() > 1 => found.add(None),
            None => found.unknown.push(value::shown(address)),
        }
    }
    if found == Found::default() {
        return Err(if asked.by_head {
            words::no_recipient_in_head()
        } else {
            words::no_address()
        });
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, to: Option<Recipients>) {
        if !self.to.contains(&to) {
            self.to.push(to);
        }
    }
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
    use super::forms;

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
