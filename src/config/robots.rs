//! The group robots of a config: `[robots.NAME]`, each with the key of its webhook.

use std::collections::BTreeMap;
use std::path::Path;

use super::layer::{At, SecretFrom};
use super::settings::{Account, Robot, reveal};
use super::value;
use crate::error::{Exit, Failure};

/// The account of the robot of this name.
///
/// # Errors
/// `Exit::Config`: there is none, or it has no key that can be used.
pub(super) fn account(
    robots: &BTreeMap<String, Option<At<SecretFrom>>>,
    source: Option<&Path>,
    name: &str,
) -> Result<Account, Failure> {
    let place = source.map_or("no config was found".to_owned(), |path| {
        path.display().to_string()
    });
    // A key may have been typed where its name belongs.
    let shown = value::shown(name);
    let how = format!(
        "write [robots.{shown}] and below it key = \"…\", what stands behind key= in the webhook URL of the group's robot"
    );
    let Some(key) = robots.get(name) else {
        let known: Vec<&str> = robots.keys().map(String::as_str).collect();
        let what = format!("{place}: there is no [robots.{shown}]");
        let failure = Failure::new(Exit::Config, what);
        return Err(match value::nearest(&shown, &known) {
            Some(meant) => failure.hint(format!("did you mean {}?", value::shown(meant))),
            None if known.is_empty() => failure.hint(how),
            None => failure.hint(format!("known robots: {}", value::shown(&known.join(", ")))),
        });
    };
    let Some(key) = key else {
        let what = format!("{place}: [robots.{shown}] has neither key nor key_file");
        return Err(Failure::new(Exit::Config, what).hint(how));
    };
    Ok(Account::Robot(Robot {
        name: name.to_owned(),
        key: reveal(key, value::robot_key)?,
    }))
}
