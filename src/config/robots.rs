//! The group robots of a config: `[robots.NAME]`, each with the key of its webhook.

use std::collections::BTreeMap;
use std::path::Path;

use super::layer::{At, SecretFrom};
use super::settings::{Account, Robot, reveal};
use super::{missing, value};
use crate::error::{Exit, Failure};
use crate::lang::say;

/// The account of the robot of this name.
///
/// # Errors
/// `Exit::Config`: there is none, or it has no key that can be used.
pub(super) fn account(
    robots: &BTreeMap<String, Option<At<SecretFrom>>>,
    source: Option<&Path>,
    name: &str,
) -> Result<Account, Failure> {
    let place = missing::place(source);
    // A key may have been typed where its name belongs.
    let shown = value::shown(name);
    let how = say!(
        "写上 [robots.{shown}]，下面写 key = \"…\"，即群机器人 Webhook 地址里 key= 后面的部分",
        "write [robots.{shown}] and below it key = \"…\", what stands behind key= in the webhook URL of the group's robot"
    );
    let Some(key) = robots.get(name) else {
        let known: Vec<&str> = robots.keys().map(String::as_str).collect();
        let what = say!(
            "{place}没有 [robots.{shown}]",
            "{place}there is no [robots.{shown}]"
        );
        let hint = match value::nearest(&shown, &known) {
            Some(meant) => value::did_you_mean(&value::shown(meant)),
            None if known.is_empty() => how,
            None => {
                let known = value::shown(&value::listed(&known));
                say!("现有的群机器人：{known}", "known robots: {known}")
            }
        };
        return Err(Failure::new(Exit::Config, what).hint(hint));
    };
    let Some(key) = key else {
        let what = say!(
            "{place}[robots.{shown}] 既没有 key 也没有 key_file",
            "{place}[robots.{shown}] has neither key nor key_file"
        );
        return Err(Failure::new(Exit::Config, what).hint(how));
    };
    Ok(Account::Robot(Robot {
        name: name.to_owned(),
        key: reveal(key, value::robot_key)?,
    }))
}
