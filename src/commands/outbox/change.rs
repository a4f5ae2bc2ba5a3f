//! `outbox drop` and `outbox retry`: what a person decides about single messages.

use serde_json::json;

use super::{Outboxes, Place};
use crate::cli::Chosen;
use crate::clock::Stamp;
use crate::delivery::Sender;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::outbox::{self, Account, Claim, Entry};
use crate::output::{self, Output};

/// Removes messages, those that wait and those that failed.
pub(super) fn drop(
    outboxes: &Outboxes<'_>,
    chosen: &Chosen,
    output: Output,
) -> anyhow::Result<Exit> {
    let places = if chosen.all {
        outboxes.all()?.0
    } else {
        named(outboxes, chosen)?
    };
    for place in &places {
        let done = match &place.failed {
            Some(failed) => outbox::forget(failed, &place.id),
            None => match outbox::claim(&place.dir, &place.id) {
                Claim::Held(held) => held.remove(),
                Claim::Busy => return Err(busy(place).into()),
                Claim::Gone => Ok(()),
                // It has been put among the failed just now.
                Claim::Damaged => match outbox::failed(&place.dir) {
                    Ok(Some(failed)) => outbox::forget(&failed, &place.id),
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                },
                Claim::Newer => place.dir.remove(place.id.as_str()),
                Claim::Foreign(error) | Claim::Unusable(error) => Err(error),
            },
        };
        done.map_err(|error| cannot(place, &error))?;
        tracing::info!(id = %place.id, "dropped");
    }
    tell(&places, "dropped", "已移除", output)
}

/// Puts failed messages back, and lets waiting ones be tried at once, for the sender of the day.
pub(super) fn retry(
    outboxes: &Outboxes<'_>,
    chosen: &Chosen,
    output: Output,
) -> anyhow::Result<Exit> {
    let places = if chosen.all {
        let (waiting, failed) = outboxes.all()?;
        waiting.into_iter().chain(failed).collect()
    } else {
        named(outboxes, chosen)?
    };
    for place in &places {
        let done = match &place.failed {
            Some(failed) => {
                let Some(Ok((entry, _))) = outbox::peek(failed, &place.id).ok().flatten() else {
                    return Err(unreadable(place).into());
                };
                let entry = of_the_day(outboxes, entry)?;
                outbox::revive(&place.dir, failed, &place.id, &entry)
            }
            None => match outbox::claim(&place.dir, &place.id) {
                Claim::Held(held) => {
                    let entry = of_the_day(outboxes, held.entry().clone())?;
                    held.note(|attempts| attempts.hold = None);
                    if entry.sender == held.entry().sender {
                        Ok(())
                    } else {
                        held.readdress(&entry)
                    }
                }
                Claim::Busy => return Err(busy(place).into()),
                Claim::Gone => Ok(()),
                Claim::Damaged | Claim::Newer => return Err(unreadable(place).into()),
                Claim::Foreign(error) | Claim::Unusable(error) => Err(error),
            },
        };
        done.map_err(|error| cannot(place, &error))?;
        tracing::info!(id = %place.id, "to be tried again");
    }
    tell(&places, "to be tried again", "将重新发送", output)
}

/// The same message for the sender that the config of the day has under its profile.
fn of_the_day(outboxes: &Outboxes<'_>, entry: Entry) -> Result<Entry, Failure> {
    let config = outboxes.config;
    let profile = entry.sender.profile.as_deref();
    let is_known = profile.is_none_or(|name| config.profiles().any(|known| known == name));
    let settings = match &entry.sender.account {
        Account::App(_) if is_known => config.settings_of(profile)?,
        Account::App(_) => config.settings(None)?,
        Account::Robot(robot) if is_known => config.robot_of(profile, robot)?,
        Account::Robot(robot) => config.robot(robot)?,
    };
    Ok(Entry {
        retried: Some(Stamp::now()),
        sender: Sender::name_of(&settings),
        ..entry
    })
}

fn named<'a>(outboxes: &'a Outboxes<'_>, chosen: &Chosen) -> Result<Vec<Place<'a>>, Failure> {
    chosen.ids.iter().map(|id| outboxes.named(id)).collect()
}

fn busy(place: &Place<'_>) -> Failure {
    let id = &place.id;
    let what = say!(
        "另一个 wxpush 正在发送 {id}",
        "{id} is being sent by another wxpush right now"
    );
    Failure::new(Exit::NotNow, what).hint(spoken().of("稍后再试", "try again in a moment"))
}

fn unreadable(place: &Place<'_>) -> Failure {
    let id = &place.id;
    let what = say!(
        "无法读取 {id}：它已损坏，或由更新版本的 wxpush 写入",
        "{id} cannot be read: it is damaged, or a newer wxpush wrote it"
    );
    let hint = spoken().of(
        "用 wxpush outbox drop 移除它",
        "wxpush outbox drop removes it",
    );
    Failure::new(Exit::Data, what).hint(hint)
}

fn cannot(place: &Place<'_>, error: &std::io::Error) -> Failure {
    let (id, dir) = (&place.id, place.dir.path().display());
    let what = say!(
        "无法修改 {dir} 里的 {id}：{error}",
        "{id} in {dir} cannot be changed: {error}"
    );
    let hint = spoken().of(
        "腾出磁盘空间，或看看它属于谁",
        "make room there, or look who owns it",
    );
    Failure::new(Exit::State, what).hint(hint)
}

/// Tells of each what became of it; a script in English.
fn tell(places: &[Place<'_>], what: &str, zh: &str, output: Output) -> anyhow::Result<Exit> {
    for place in places {
        if output.json {
            output::object(&json!({"id": place.id.as_str(), "status": what}))?;
        } else if output.is_talkative() {
            let what = spoken().of(zh, what);
            output::result(&format!("{} {what}", place.id))?;
        }
    }
    Ok(Exit::Sent)
}
